import { stat } from 'node:fs/promises';
import type { LoadConfig } from '../../generated/load-config.ts';
import type { Json, JsonObject } from '../../json.ts';
import { checkNesting } from '../../text/jsonl/check-nesting.ts';
import { readJsonl } from '../../text/jsonl/read-jsonl.ts';
import { isObject } from '../../text/parse-record.ts';
import { UserError } from '../../user-error.ts';
import { detectType } from './detect-type.ts';
import { readDelimitedRows } from './read-delimited-rows.ts';
import { readJsonList } from './read-json-list.ts';

export interface Row {
  /** The line on which it begins. */
  readonly line: number;
  readonly row: JsonObject;
}

interface RowFormat {
  readonly type: LoadConfig['type'];
  readonly columns: readonly string[] | undefined;
}

/** The rows of a data file. Throws a UserError that names file, line and column where it cannot be read. */
export async function* readRows(path: string, { type, columns }: RowFormat): AsyncGenerator<Row> {
  if (!(await stat(path)).isFile()) {
    throw new UserError({
      code: 'not-a-file',
      message: `${path} is no file`,
      help: 'give the path of one file of rows',
    });
  }
  const found = type === 'auto' ? await detectType(path) : type;
  switch (found) {
    case 'json':
      for (const [index, { line, value }] of (await readJsonList(path)).entries()) {
        const place = `${path}:${line}: item ${index + 1}`;
        checkNesting({ value, place });
        yield { line, row: objectAt(value, place) };
      }
      return;
    case 'jsonl':
      for await (const { number, value } of readJsonl(path)) {
        yield { line: number, row: objectAt(value, `${path}:${number}: the line`) };
      }
      return;
    case 'csv':
    case 'tsv':
      return yield* readDelimitedRows(path, { type: found, columns });
    default:
      return found satisfies never;
  }
}

function objectAt(value: Json, place: string): JsonObject {
  if (isObject(value)) return value;
  const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  throw new UserError({
    code: 'not-an-object',
    message: `${place} is ${kind}, not an object`,
    help: 'a row is an object whose fields have names, such as {"instruction": "...", "output": "..."}',
  });
}
