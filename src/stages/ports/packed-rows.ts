import { UserError } from '../../core/index.ts';
import type { SafetensorsFile, TensorToWrite } from '../../formats/index.ts';

/** Rows of different lengths in sequence: row i is `values[ends[i - 1] ?? 0 .. ends[i]]`. */
interface PackedRows {
  readonly values: Int32Array;
  readonly ends: Int32Array;
}

export function packRows(rows: readonly ArrayLike<number>[]): PackedRows {
  const ends = new Int32Array(rows.length);
  let total = 0;
  for (const [index, row] of rows.entries()) {
    total += row.length;
    ends[index] = total;
  }
  const values = new Int32Array(total);
  for (const [index, row] of rows.entries()) values.set(row, (ends[index] ?? 0) - row.length);
  return { values, ends };
}

/** Views into `values`, which they share. */
export function unpackRows({ values, ends }: PackedRows, path: string): Int32Array[] {
  let start = 0;
  const rows = Array.from(ends, (end) => {
    if (end < start || end > values.length) throw badRows(path);
    const row = values.subarray(start, end);
    start = end;
    return row;
  });
  if (start !== values.length) throw badRows(path);
  return rows;
}

function badRows(path: string): UserError {
  return new UserError({ code: 'bad-rows', message: `${path}: the rows' ends do not tile their values` });
}

export function rowOf(rows: readonly Int32Array[], index: number, path: string): Int32Array {
  const row = rows[index];
  if (row !== undefined) return row;
  throw new UserError({ code: 'bad-rows', message: `${path}: there are more ids than rows` });
}

export const int32Tensor = (name: string, values: Int32Array): TensorToWrite => ({
  name,
  dtype: 'I32',
  shape: [values.length],
  read: () => values,
});

export const float32Tensor = (name: string, values: Float32Array): TensorToWrite => ({
  name,
  dtype: 'F32',
  shape: [values.length],
  read: () => values,
});

/** A whole number in a file's metadata, whose values are strings. */
export function readCount({ path, metadata }: SafetensorsFile, name: string): number {
  const text = metadata[name] ?? '';
  if (/^\d+$/.test(text)) return Number(text);
  throw new UserError({
    code: 'bad-metadata',
    message: `${path}: the metadata \`${name}\` is ${JSON.stringify(metadata[name]) ?? 'missing'}, not a whole number`,
  });
}

/** The kind of preference that a file's records state; undefined for examples to learn. */
export function readPreference({ path, metadata }: SafetensorsFile): 'paired' | 'unpaired' | undefined {
  const { preference } = metadata;
  if (preference === undefined || preference === 'paired' || preference === 'unpaired') return preference;
  throw new UserError({
    code: 'bad-metadata',
    message: `${path}: the metadata \`preference\` is ${JSON.stringify(preference)}, not \`paired\` or \`unpaired\``,
  });
}

/** A list of strings as the UTF-8 bytes of a JSON array, as safetensors hold numbers only. */
export function stringListTensor(name: string, strings: readonly string[]): TensorToWrite {
  const bytes = new TextEncoder().encode(JSON.stringify(strings));
  return { name, dtype: 'U8', shape: [bytes.length], read: () => bytes };
}

export async function readStringList(file: SafetensorsFile, name: string): Promise<readonly string[]> {
  const value: unknown = JSON.parse(new TextDecoder().decode(await file.readUint8(name)));
  if (isStringList(value)) return value;
  throw new UserError({ code: 'bad-strings', message: `${file.path}: ${name} is not a list of strings` });
}

const isStringList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
