import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors } from '../../model/safetensors/open-safetensors.ts';
import { formatBytes, formatCount } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { renderTable } from '../terminal/table.ts';
import { tokenizerSummary } from './show-tokenizer.ts';
import type { Shown, ShowSource } from './shown.ts';
import { windowNote, windowOf } from './window.ts';

interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly count: number;
  readonly bytes: number;
}

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

async function parametersOf(path: string): Promise<readonly Parameter[]> {
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
  return typeof value === 'object' && value !== null ? value : undefined;
}
