import type { LoadConfig } from '../../generated/load-config.ts';
import type { Json } from '../../json.ts';
import { checkJson } from '../../text/jsonl/check-json.ts';
import { readJsonl } from '../../text/jsonl/read-jsonl.ts';
import { dataFiles } from './data-files.ts';
import { detectType } from './detect-type.ts';
import { readDelimitedRows } from './read-delimited-rows.ts';
import { readJsonList } from './read-json-list.ts';
import { readParquet } from './read-parquet.ts';

export interface Row {
  /** The file that it stands in. */
  readonly path: string;
  /** The line on which it begins; in a Parquet file the row's number. */
  readonly line: number;
  /** An object, or what stands there by mistake. */
  readonly row: Json;
}

interface RowFormat {
  readonly type: LoadConfig['type'];
  readonly columns: readonly string[] | undefined;
}

/** The rows of a data file, or of a folder of them. Throws a UserError that names file, line and column where it cannot be read. */
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
