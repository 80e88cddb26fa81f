import { readFile } from 'node:fs/promises';
import { promisify, TextDecoder } from 'node:util';
import { gunzip } from 'node:zlib';
import { UserError } from '../core/index.ts';

/** A file of a benchmark. */
export interface BenchmarkFile {
  readonly path: string;
  /** Its name in errors. */
  readonly name: string;
}

/** A larger file does not fit into one JavaScript string. */
const maximumBytes = 400 * 1024 * 1024;
const gzipMark = Buffer.from([0x1f, 0x8b]);

/** The text of a UTF-8 file, gzipped or not, without a byte order mark. */
export async function readText(file: BenchmarkFile): Promise<string> {
  const bytes = await unpacked(file, await bytesOf(file));
  if (bytes.length > maximumBytes)
    throw new UserError({
      code: 'file-too-large',
      message: `${file.name} is larger than ${maximumBytes / 1024 / 1024} MiB`,
    });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError({
      code: 'not-utf-8',
      message: `${file.name} is not UTF-8 text`,
      help: 'save it as UTF-8',
      cause,
    });
  }
}

async function bytesOf({ path, name }: BenchmarkFile): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const reason = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${String(code)})`;
    throw new UserError({ code: 'no-file', message: `${name}: ${reason}`, cause });
  }
}

async function unpacked({ name }: BenchmarkFile, bytes: Buffer): Promise<Buffer> {
  if (!bytes.subarray(0, 2).equals(gzipMark)) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: maximumBytes });
  } catch (cause) {
    throw new UserError({
      code: 'bad-gzip',
      message: `${name} cannot be unpacked: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
}

/** A row of a TSV file: column -> value. */
interface TsvRow {
  readonly place: string;
  readonly values: Readonly<Record<string, string>>;
}

/** The rows of a TSV file, in which quotation marks have no meaning. Its first line names the columns, unless they are given. */
export async function readTsv(file: BenchmarkFile, columns?: readonly string[]): Promise<readonly TsvRow[]> {
  const lines = (await readText(file)).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const names = columns ?? lines[0]?.split('\t') ?? [];
  const headed = columns === undefined ? 1 : 0;
  return lines.slice(headed).map((line, index) => {
    const place = `${file.name}:${index + 1 + headed}`;
    const values = line.split('\t');
    if (values.length !== names.length)
      throw new UserError({
        code: 'ragged-row',
        message: `${place}: the row has ${values.length} values where there are ${names.length} columns: ${names.join(', ')}`,
        help: 'values are separated by one tab each',
      });
    return { place, values: Object.fromEntries(names.map((name, column) => [name, values[column] ?? ''])) };
  });
}

/** The value of a required column. */
export function columnOf({ place, values }: TsvRow, column: string): string {
  const value = Object.hasOwn(values, column) ? values[column] : undefined;
  if (value !== undefined) return value;
  throw new UserError({
    code: 'missing-column',
    message: `${place}: there is no column \`${column}\`; there are ${Object.keys(values).join(', ')}`,
  });
}
