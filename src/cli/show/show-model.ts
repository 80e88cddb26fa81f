import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../core/index.ts';
import { openSafetensors } from '../../formats/index.ts';
import { openTokenizer } from '../../text/index.ts';
import { formatBytes, formatCount } from '../terminal/format-number.ts';
import { renderTable } from '../terminal/layout.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import { type Shown, type ShowSource, tokenText, windowNote, windowOf } from './shown.ts';

/** A model's configuration and its parameters, without their values. */
export async function showModel({
  path,
  offset,
  limit = Number.POSITIVE_INFINITY,
}: ShowSource): Promise<Shown> {
  const endpoint = await jsonFile(join(path, 'endpoint.json'));
  if (endpoint)
    return { json: { endpoint }, text: () => `a model behind an endpoint\n\n${configTable(endpoint)}` };
  const config = (await jsonFile(join(path, 'config.json'))) ?? {};
  const parameters = await parametersOf(join(path, 'model.safetensors'));
  const window = await windowOf(parameters, { offset, limit });
  const tokenizer = await tokenizerSummary(path);
  const count = parameters.reduce((sum, parameter) => sum + parameter.count, 0);
  const bytes = parameters.reduce((sum, parameter) => sum + parameter.bytes, 0);
  return {
    json: { config, tokenizer, parameters, parameter_count: count, bytes },
    text: () =>
      [
        configTable({ ...config, tokenizer }),
        renderTable({
          head: ['parameter', 'shape', 'type', 'count'],
          rows: window.items.map((parameter) => [
            safeLine(parameter.name),
            parameter.shape.join(' × ') || 'scalar',
            parameter.dtype,
            formatCount(parameter.count),
          ]),
          align: ['left', 'left', 'left', 'right'],
          indent: '',
        }),
        `${formatCount(count)} parameters in ${formatCount(parameters.length)} tensors, ${formatBytes(bytes)}`,
        windowNote(window, 'tensors'),
      ]
        .filter((part) => part !== '')
        .join('\n\n'),
  };
}

async function parametersOf(path: string) {
  await using file = await openSafetensors(path);
  return [...file.tensors].map(([name, { shape, dtype, begin, end }]) => ({
    name,
    shape,
    dtype,
    count: shape.reduce((product, size) => product * size, 1),
    bytes: end - begin,
  }));
}

function configTable(config: object): string {
  const rows = Object.entries(config).map(([name, value]) => [
    safeLine(name),
    safeLine(typeof value === 'string' ? value : JSON.stringify(value)),
  ]);
  return renderTable({ rows, indent: '' });
}

async function jsonFile(path: string): Promise<object | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return 'null';
    throw error;
  });
  const value: unknown = JSON.parse(text);
  return isObject(value) ? value : undefined;
}

/** A tokenizer's identity and size, and the tokens of a sample sentence. */
export async function showTokenizer({ path }: ShowSource): Promise<Shown> {
  const tokenizer = await openTokenizer(path);
  const sentence = 'Below is an instruction that describes a task.';
  const tokens = [...tokenizer.encode(sentence)];
  const summary = await tokenizerSummary(path);
  return {
    json: { ...summary, sample: { sentence, tokens } },
    text: () =>
      renderTable({
        rows: [
          ['vocabulary', safeLine(tokenizer.vocabulary)],
          ['tokens', formatCount(tokenizer.vocabularySize)],
          ['end of text', String(tokenizer.endOfText)],
          ['sample', tokens.map((token) => tokenText(token, tokenizer)).join(' ')],
        ],
        indent: '',
      }),
  };
}

/** The identity of the tokenizer in a model's or a tokenizer's folder. */
async function tokenizerSummary(folder: string) {
  const { vocabulary, vocabularySize, endOfText } = await openTokenizer(folder);
  return { vocabulary, vocabulary_size: vocabularySize, end_of_text: endOfText };
}

const MOST_BYTES = 4000;

/** The beginning of a file, or the list of a folder's files. */
export async function showFile({ path }: ShowSource): Promise<Shown> {
  const { size } = await stat(path);
  const names = await readdir(path, { recursive: true }).catch(() => undefined);
  if (names === undefined) {
    const text = await beginning(path);
    const rest = size > MOST_BYTES ? `\n(the first ${formatBytes(MOST_BYTES)} of ${formatBytes(size)})` : '';
    return { json: { bytes: size, text }, text: () => `${safeText(text).trimEnd()}${rest}` };
  }
  const entries = await Promise.all(
    names.sort().map(async (name) => ({ name, ...(await describe(join(path, name))) })),
  );
  const files = entries.flatMap(({ name, file, bytes }) => (file ? [{ name, bytes }] : []));
  return {
    json: { files },
    text: () =>
      renderTable({
        rows: files.map(({ name, bytes }) => [safeLine(name), formatBytes(bytes)]),
        align: ['left', 'right'],
        indent: '',
      }),
  };
}

async function describe(path: string): Promise<{ file: boolean; bytes: number }> {
  const entry = await stat(path);
  return { file: entry.isFile(), bytes: entry.size };
}

async function beginning(path: string): Promise<string> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
  return buffer.subarray(0, bytesRead).toString('utf8');
}
