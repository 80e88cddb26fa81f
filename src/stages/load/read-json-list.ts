import { readFile, stat } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import type { Json } from '../../json.ts';
import { jsonFault } from '../../text/jsonl/json-fault.ts';
import { isObject } from '../../text/parse-record.ts';
import { fieldsIn } from '../../text/template/row-field.ts';
import { UserError } from '../../user-error.ts';
import { itemLines } from './item-lines.ts';
import { notUtf8 } from './not-utf-8.ts';

/** Beyond this a file does not fit into one JavaScript string. */
const maximumBytes = 400 * 1024 * 1024;

export interface JsonItem {
  /** The line on which it begins. */
  readonly line: number;
  readonly value: Json;
}

/** The items of a JSON file that holds one list. */
export async function readJsonList(path: string): Promise<readonly JsonItem[]> {
  const { size } = await stat(path);
  if (size > maximumBytes) {
    throw new UserError({
      code: 'file-too-large',
      message: `${path} is larger than ${maximumBytes / 1024 / 1024} MiB, too large to be read as one JSON value`,
      help: 'convert it to JSONL (one object on each line), which is read line by line',
    });
  }
  const text = await readText(path);
  const value = parse(path, text);
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

function parse(path: string, text: string): Json {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { line, column, reason } = jsonFault(cause, text);
    throw new UserError({
      code: 'bad-json',
      message: `${path}:${line}:${column}: not JSON: ${reason}`,
      cause,
    });
  }
}
