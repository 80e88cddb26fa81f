import { isObject, UserError } from '../../core/index.ts';
import { isTensorType, type TensorType, tensorBytes } from './floats.ts';

/** A tensor's bytes in the file's data section, from `begin` up to `end`. */
export interface TensorEntry {
  readonly dtype: TensorType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

/** Parses the JSON header of a safetensors file. Its entries tile the data: no overlap, no hole, nothing left over. */
export function parseHeader({
  path,
  text,
  dataBytes,
}: {
  /** For messages. */
  readonly path: string;
  readonly text: string;
  /** How many bytes follow the header. */
  readonly dataBytes: number;
}): SafetensorsHeader {
  const { __metadata__: metadata = {}, ...entries } = parseObject(path, text);
  const tensors = new Map<string, TensorEntry>();
  for (const [name, entry] of Object.entries(entries)) tensors.set(name, parseEntry(path, name, entry));
  checkTiling(path, tensors, dataBytes);
  return { metadata: parseMetadata(path, metadata), tensors };
}

export function badSafetensors(path: string, what: string, cause?: unknown): UserError {
  return new UserError({
    code: 'bad-safetensors',
    message: `${path} is not a valid safetensors file: ${what}`,
    help: 'the file may be cut short or written by something else; fetch or write it again',
    cause,
  });
}

function parseObject(path: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badSafetensors(path, 'its header is not JSON', cause);
  }
  if (!isObject(value)) throw badSafetensors(path, 'its header is not a JSON object');
  return value;
}

function parseMetadata(path: string, value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) throw badSafetensors(path, '`__metadata__` is not an object');
  const metadata: Record<string, string> = {};
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw badSafetensors(path, `the metadata \`${key}\` is not a string`);
    metadata[key] = text;
  }
  return metadata;
}

function parseEntry(path: string, name: string, value: unknown): TensorEntry {
  const fail = (what: string) => badSafetensors(path, `tensor \`${name}\` ${what}`);
  if (!isObject(value)) throw fail('has no description');
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isTensorType(dtype)) throw fail(`has the unknown type ${JSON.stringify(dtype)}`);
  if (!isExtents(shape)) throw fail(`has the shape ${JSON.stringify(shape)}`);
  if (!isExtents(offsets) || offsets.length !== 2) throw fail(`has the offsets ${JSON.stringify(offsets)}`);
  const [begin = 0, end = 0] = offsets;
  const expected = tensorBytes(dtype, shape);
  if (end - begin !== expected)
    throw fail(`has ${end - begin} bytes where ${dtype} [${shape.join(', ')}] takes ${expected}`);
  return { dtype, shape, begin, end };
}

function checkTiling(path: string, tensors: ReadonlyMap<string, TensorEntry>, dataBytes: number): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const [name, { begin, end }] of inOrder) {
    if (begin !== position)
      throw badSafetensors(
        path,
        `tensor \`${name}\` starts at byte ${begin} of the data instead of ${position}`,
      );
    position = end;
  }
  if (position !== dataBytes)
    throw badSafetensors(path, `its tensors take ${position} bytes, but ${dataBytes} follow the header`);
}

const isExtents = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
