import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TextDecoder } from 'node:util';
import { isObject, type Json, UserError } from '../../core/index.ts';
import {
  checkJson,
  notUtf8,
  parseJson,
  readDelimitedRows,
  readJsonl,
  readParquet,
} from '../../formats/index.ts';
import type { LoadConfig } from '../../generated/load-config.ts';
import { fieldsIn } from '../../text/index.ts';

interface Row {
  /** The file that holds the row. */
  readonly path: string;
  /** The line on which it begins; in a Parquet file the row's number. */
  readonly line: number;
  /** An object, unless the file has a mistake. */
  readonly row: Json;
}

interface RowFormat {
  readonly type: LoadConfig['type'];
  readonly columns: readonly string[] | undefined;
}

/** The rows of a data file or of a folder of them. A UserError names file, line and column if a file cannot be read. */
export async function* readRows(source: string, format: RowFormat): AsyncGenerator<Row> {
  for (const path of await dataFiles(source)) {
    for await (const { line, row } of rowsOf(path, format)) yield { path, line, row };
  }
}

async function* rowsOf(path: string, { type, columns }: RowFormat): AsyncGenerator<Omit<Row, 'path'>> {
  const found = type === 'auto' ? await detectType(path) : type;
  switch (found) {
    case 'json':
      for (const [index, { line, value }] of (await readJsonList(path)).entries()) {
        checkJson({ value, place: `${path}:${line}: item ${index + 1}` });
        yield { line, row: value };
      }
      return;
    case 'jsonl':
      for await (const { number, value } of readJsonl(path)) yield { line: number, row: value };
      return;
    case 'csv':
    case 'tsv':
      return yield* readDelimitedRows(path, { type: found, columns });
    case 'parquet':
      for await (const { number, value } of readParquet(path)) yield { line: number, row: value };
      return;
    default:
      return found satisfies never;
  }
}

const dataFile = /\.(jsonl?|ndjson|csv|tsv|parquet)$/i;

/** The file itself, or a folder's files of rows in the order of their names. */
async function dataFiles(path: string): Promise<readonly string[]> {
  const found = await stat(path);
  if (found.isFile()) return [path];
  const names = found.isDirectory() ? (await readdir(path)).filter((name) => dataFile.test(name)).sort() : [];
  if (names.length > 0) return names.map((name) => join(path, name));
  throw new UserError({
    code: 'not-a-file',
    message: `${path} is neither a file nor a folder with JSON, JSONL, CSV, TSV or Parquet files`,
    help: 'give the path of a file of rows, or of a folder of them',
  });
}

/** How much of a file shows its type. */
const headBytes = 64 * 1024;

/**
 * The format of a file's rows, by its content alone: the result of a stage depends on contents, never on names, so the
 * file's extension must not decide.
 */
async function detectType(path: string): Promise<Exclude<LoadConfig['type'], 'auto'>> {
  const bytes = await firstBytes(path);
  if (bytes.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  const beginning = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (beginning.startsWith('[')) return 'json';
  const [firstLine = '', ...more] = beginning.split('\n', 2);
  if (beginning.startsWith('{')) return more.length === 0 || isJson(firstLine) ? 'jsonl' : 'json';
  return firstLine.includes('\t') ? 'tsv' : 'csv';
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(headBytes), position: 0 });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A line with half an object is the beginning of a JSON file, not of JSONL. */
function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** A larger file does not fit into one JavaScript string. */
const maximumBytes = 400 * 1024 * 1024;

/** The items of a JSON file that holds one list, each with the line on which it begins. */
async function readJsonList(
  path: string,
): Promise<readonly { readonly line: number; readonly value: Json }[]> {
  const { size } = await stat(path);
  if (size > maximumBytes) {
    throw new UserError({
      code: 'file-too-large',
      message: `${path} is larger than ${maximumBytes / 1024 / 1024} MiB, too large to read as one JSON value`,
      help: 'convert it to JSONL (one object on each line), which is read line by line',
    });
  }
  const text = await readText(path);
  const value = parseJson(text, { path, exact: true });
  if (Array.isArray(value)) {
    const lines = itemLines(text);
    return value.map((item: Json, index) => ({ line: lines[index] ?? 1, value: item }));
  }
  throw notAList(path, value);
}

function notAList(path: string, value: Json): UserError {
  const found = isObject(value) ? `one object with ${fieldsIn(value)}` : 'one value';
  return new UserError({
    code: 'not-a-list',
    message: `${path} holds ${found}, not a list of rows`,
    help: 'rows are a JSON list of objects, [{...}, {...}], or JSONL: one object on each line',
  });
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw await notUtf8(path, cause);
  }
}

/** The lines on which the items of a JSON list begin; the first line is 1. */
function itemLines(text: string): readonly number[] {
  const lines: number[] = [];
  let line = 1;
  let depth = 0;
  let isItemDue = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '\n') line += 1;
    if (whiteSpace.has(character)) continue;
    if (character === ']' || character === '}') {
      depth -= 1;
      isItemDue = false;
      continue;
    }
    if (isItemDue) lines.push(line);
    if (character === '"') at = endOfString(text, at);
    if (character === '[' || character === '{') depth += 1;
    isItemDue = depth === 1 && (character === ',' || character === '[');
  }
  return lines;
}

const whiteSpace = new Set([' ', '\t', '\r', '\n']);

/** The index of the quotation mark that closes the string beginning at `start`. A string has no line breaks. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
