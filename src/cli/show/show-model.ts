import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type JsonObject } from '../../core/index.ts';
import { openTensors } from '../../formats/index.ts';
import { isQuantizedFolder, quantizedFile } from '../../model/index.ts';
import { openTokenizer } from '../../text/index.ts';
import { formatBytes, formatCount } from '../terminal/format-number.ts';
import { labeledText, renderTable } from '../terminal/layout.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { type Shown, type ShowSource, tokenText, windowNote, windowOf } from './shown.ts';

/** A model's configuration and its parameters, without their values. */
export async function showModel(source: ShowSource): Promise<Shown> {
  const { path } = source;
  const endpoint = await jsonFile(join(path, 'endpoint.json'));
  if (endpoint)
    return {
      json: { endpoint },
      text: (terminal) => `a model behind an endpoint\n\n${configText(endpoint, terminal)}`,
    };
  const config = (await jsonFile(join(path, 'config.json'))) ?? {};
  const tokenizer = await tokenizerSummary(path);
  const file = isQuantizedFolder(path) ? quantizedFile : 'model.safetensors';
  return showTensors(source, { file, fields: { config, tokenizer } });
}

/** An adapter's configuration and its matrices, without their values. */
export async function showAdapter(source: ShowSource): Promise<Shown> {
  const config = (await jsonFile(join(source.path, 'adapter_config.json'))) ?? {};
  return showTensors(source, { file: 'adapter_model.safetensors', fields: { config } });
}

async function showTensors(
  { path, offset, limit }: ShowSource,
  {
    file,
    fields,
  }: { readonly file: string; readonly fields: { readonly config: object; readonly tokenizer?: JsonObject } },
): Promise<Shown> {
  const { config, ...others } = fields;
  const parameters = await parametersOf(join(path, file));
  const count = parameters.reduce((sum, parameter) => sum + parameter.count, 0);
  const bytes = parameters.reduce((sum, parameter) => sum + parameter.bytes, 0);
  // Of many layers one line says it all, unless single tensors are asked for.
  const isListed = limit !== undefined || offset > 0;
  const lines = isListed ? parameters : joinLayers(parameters);
  const window = await windowOf(lines, { offset, limit: limit ?? Number.POSITIVE_INFINITY });
  return {
    json: { ...fields, parameters, parameter_count: count, bytes },
    text: (terminal) =>
      [
        `${formatCount(count)} parameters in ${formatCount(parameters.length)} tensors, ${formatBytes(bytes)}`,
        configText({ ...config, ...others }, terminal),
        renderTable({
          head: ['parameter', 'shape', 'type', 'count'],
          rows: window.items.map((parameter) => [
            safeLine(parameter.name),
            parameter.shape.join(' × ') || 'scalar',
            parameter.dtype,
            formatCount(parameter.count),
          ]),
          align: ['left', 'left', 'left', 'right'],
          fold: ['cut'],
          columns: terminal.width,
          indent: '',
        }),
        windowNote(window, isListed ? 'tensors' : 'lines'),
      ]
        .filter((part) => part !== '')
        .join('\n\n'),
  };
}

interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly count: number;
}

/** Compares the numbers in two names as numbers: layer 2 comes before layer 10. */
function compareNames(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => name.split(/(\d+)/));
  for (const [index, piece] of (left ?? []).entries()) {
    const other = right?.[index];
    if (other === undefined) return 1;
    if (piece === other) continue;
    return index % 2 === 1 ? Number(piece) - Number(other) : piece < other ? -1 : 1;
  }
  return (left?.length ?? 0) - (right?.length ?? 0);
}

/** One line for the tensors of layers that differ in the layer's number alone: `h.{0-11}.attn.weight`, with their sum. */
function joinLayers(parameters: readonly Parameter[]): readonly Parameter[] {
  const groups = new Map<string, Parameter[]>();
  for (const each of parameters) {
    const [, before = each.name, , after = ''] = /^(.*?\.)(\d+)(\..*)$/.exec(each.name) ?? [];
    const alike = JSON.stringify([before, after, each.shape, each.dtype]);
    groups.set(alike, [...(groups.get(alike) ?? []), each]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first, last] = [group[0], group.at(-1)];
    if (first === undefined || last === undefined || first === last) return group;
    const [from, to] = [first, last].map(({ name }) => Number(/\.(\d+)\./.exec(name)?.[1]));
    // Layers of another kind are between these: each is listed.
    if (Number(to) - Number(from) !== group.length - 1) return group;
    const name = first.name.replace(/\.(\d+)\./, `.{${from}-${to}}.`);
    return [{ ...first, name, count: group.reduce((sum, { count }) => sum + count, 0) }];
  });
}

async function parametersOf(path: string) {
  await using file = await openTensors(path);
  const sorted = [...file.tensors].sort(([a], [b]) => compareNames(a, b));
  return sorted.map(([name, { shape, dtype, begin, end }]) => ({
    name,
    shape,
    dtype,
    count: shape.reduce((product, size) => product * size, 1),
    bytes: end - begin,
  }));
}

/** A line for each field; those of a map have its name before theirs. */
function configText(config: object, terminal: Terminal): string {
  const lines = Object.entries(config).flatMap(([name, value]) =>
    isObject(value)
      ? Object.entries(value).map(([field, inner]) => [`${name}.${field}`, inner] as const)
      : [[name, value] as const],
  );
  return labeledText(
    lines.map(([name, value]) => ({
      label: safeLine(name),
      text: safeLine(typeof value === 'string' ? value : JSON.stringify(value)),
    })),
    { terminal, indent: '' },
  );
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
    text: (terminal) =>
      labeledText(
        [
          { label: 'vocabulary', text: safeLine(tokenizer.vocabulary) },
          { label: 'tokens', text: formatCount(tokenizer.vocabularySize) },
          { label: 'end of text', text: String(tokenizer.endOfText) },
          { label: 'sample', text: tokens.map((token) => tokenText(token, tokenizer)).join(' ') },
        ],
        { terminal, indent: '' },
      ),
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
    text: ({ width: columns }) =>
      renderTable({
        ...{ fold: ['cut'], columns },
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
