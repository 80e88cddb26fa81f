import { type FileHandle, open } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import type { AsyncBuffer, Compressors, FileMetaData, SchemaTree } from 'hyparquet';
import { ExactNumber, type Json, UserError } from '../core/index.ts';

const mostFooterBytes = 64 * 2 ** 20;
/** Of uncompressed data in memory. */
const mostGroupBytes = 2 * 2 ** 30;
const mostGroupRows = 20_000_000;
const mostPageBytes = 512 * 2 ** 20;

/** The rows of a Parquet file with their numbers, from 1, read one row group at a time; structs, lists and maps become JSON. */
export async function* readParquet(
  path: string,
): AsyncGenerator<{ readonly number: number; readonly value: Json }> {
  await using handle = await open(path);
  const { size } = await handle.stat();
  const file: AsyncBuffer = {
    byteLength: size,
    slice(start, end = size) {
      const part = readPart(handle, { from: start < 0 ? size + start : start, to: Math.min(size, end) });
      // hyparquet requests several parts in parallel, and stops waiting for the others when one fails.
      part.catch(() => {});
      return part;
    },
  };
  const { parquetReadObjects, parquetMetadataAsync, parquetSchema } = await import('hyparquet');
  const compressors = await boundedCompressors();
  const metadata = await asUserError(path, async () => {
    await checkFooter(file);
    return parquetMetadataAsync(file);
  });
  const schema = await asUserError(path, async () => parquetSchema(metadata));
  let start = 0;
  for (const end of groupEnds(path, metadata)) {
    const at = { rowStart: start, rowEnd: end };
    const rows = await asUserError(`${path}: rows ${start + 1} to ${end}`, () =>
      parquetReadObjects({ file, metadata, compressors, utf8: false, ...at }),
    );
    for (const [index, row] of rows.entries())
      yield { number: start + index + 1, value: parquetValue(row, schema) };
    start = end;
  }
}

async function readPart(
  handle: FileHandle,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<ArrayBuffer> {
  const length = to - from;
  if (!(from >= 0 && length >= 0)) throw new RangeError('a part of it lies outside of the file');
  const bytes = new ArrayBuffer(length);
  if (length > 0) await handle.read(new Uint8Array(bytes), 0, length, from);
  return bytes;
}

/** The number of rows up to the end of each row group. */
function groupEnds(path: string, { row_groups: groups }: FileMetaData): readonly number[] {
  let end = 0;
  return groups.map(({ num_rows: rows, columns }, index) => {
    const bytes = columns.reduce(
      (sum, { meta_data: column }) => sum + Number(column?.total_uncompressed_size ?? 0),
      0,
    );
    if (rows < 0 || rows > mostGroupRows || bytes > mostGroupBytes)
      throw new UserError({
        code: 'row-group-too-large',
        message: `${path}: row group ${index + 1} has ${rows} rows and ${bytes} bytes, more than fit into memory`,
        help: 'rewrite the file with smaller row groups',
      });
    end += Number(rows);
    return end;
  });
}

async function checkFooter(file: AsyncBuffer): Promise<void> {
  if (file.byteLength < 12) throw new RangeError('it is too short');
  const trailer = new DataView(await file.slice(file.byteLength - 8));
  if (trailer.getUint32(4, true) !== parquetMark)
    throw new RangeError('it does not end as one, so it may be cut short');
  const length = trailer.getUint32(0, true);
  if (length > Math.min(mostFooterBytes, file.byteLength - 12))
    throw new RangeError(`its footer claims ${length} bytes`);
}

/** `PAR1` */
const parquetMark = 0x31524150;

/** A page declares its own uncompressed length, which is limited here. */
async function boundedCompressors(): Promise<Compressors> {
  const { compressors } = await import('hyparquet-compressors');
  return Object.fromEntries(
    Object.entries(compressors).map(([name, decompress]) => [
      name,
      (input: Uint8Array, length: number) => {
        if (length > mostPageBytes) throw new RangeError(`a page claims ${length} bytes`);
        return decompress(input, length);
      },
    ]),
  );
}

/** Reading damaged bytes can throw anything. */
async function asUserError<Value>(place: string, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError({
      code: 'bad-parquet',
      message: `${place}: it cannot be read as Parquet: ${cause instanceof Error ? cause.message : cause}`,
      cause,
    });
  }
}

const mostDepth = 64;

/**
 * A value of a Parquet file as JSON: whole numbers beyond 2^53 with all digits, whole floats as `20.0`, times in ISO 8601, bytes as text if they are
 * UTF-8, else in base64, and NaN, infinities and absent values as null.
 */
function parquetValue(value: unknown, column: SchemaTree | undefined, depth = 0): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return numberValue(value, column);
    case 'bigint': {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : new ExactNumber(String(value));
    }
    case 'object':
      return value === null || depth > mostDepth ? null : objectValue(value, column, depth);
    default:
      return null;
  }
}

function numberValue(value: number, column: SchemaTree | undefined): Json {
  if (!Number.isFinite(value)) return null;
  const type = column?.element.type;
  if (!Number.isInteger(value) || (type !== 'FLOAT' && type !== 'DOUBLE')) return value;
  const text = Object.is(value, -0) ? '-0' : String(value);
  return new ExactNumber(text.includes('e') ? text : `${text}.0`);
}

function objectValue(value: object, column: SchemaTree | undefined, depth: number): Json {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return textOf(value);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const items = itemColumn(column);
    // A typed array is a list of numbers.
    return Array.from(value as ArrayLike<unknown>, (item) => parquetValue(item, items, depth + 1));
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      parquetValue(item, memberColumn(column, name), depth + 1),
    ]),
  );
}

/** The column of a list's items: below the repeated group, if there is one. */
function itemColumn(column: SchemaTree | undefined): SchemaTree | undefined {
  if (column?.element.converted_type !== 'LIST') return column;
  const [repeated] = column.children;
  return repeated?.children.length === 1 ? repeated.children[0] : repeated;
}

/** The column of a struct's field, or of a map's values. */
function memberColumn(column: SchemaTree | undefined, name: string): SchemaTree | undefined {
  if (column?.element.converted_type === 'MAP') return column.children[0]?.children[1];
  return column?.children.find(({ element }) => element.name === name);
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('base64');
  }
}
