import { isObject, type Json, UserError } from '../../core/index.ts';
import { checkJson, readDelimitedRows, readJsonl, readParquet } from '../../formats/index.ts';
import type { LoadConfig } from '../../generated/load-config.ts';
import { dataFiles, detectType } from './data-files.ts';
import { holdsRows, notAList, readJsonItems } from './json-rows.ts';

interface Row {
  /** The file that holds the row. */
  readonly path: string;
  /** The line on which it begins; in a Parquet file the row's number. */
  readonly line: number;
  /** An object, unless the file has a mistake. */
  readonly row: Json;
}

type RowFormat = Pick<LoadConfig, 'type' | 'columns' | 'quotes' | 'field'>;

/**
 * The rows of a data file or of a folder of them. A UserError names file, line and column if a file cannot be read.
 * `onLeftOut` is given the files and folders inside a folder that could hold rows but are not read.
 */
export async function* readRows(
  source: string,
  format: RowFormat,
  onLeftOut: (names: readonly string[]) => void = () => {},
): AsyncGenerator<Row> {
  const { paths, leftOut } = await dataFiles(source);
  if (leftOut.length > 0) onLeftOut(leftOut);
  for (const path of paths) {
    for await (const { line, row } of rowsOf(path, format)) yield { path, line, row };
  }
}

async function* rowsOf(path: string, format: RowFormat): AsyncGenerator<Omit<Row, 'path'>> {
  const found = format.type === 'auto' ? await detectType(path) : format.type;
  // An object on one line could be a row, too.
  const type = found === 'jsonl' && format.field !== undefined && format.type === 'auto' ? 'json' : found;
  checkOptions(path, { type, format });
  switch (type) {
    case 'json':
      for (const [index, { line, value }] of (await readJsonItems(path, format.field)).entries()) {
        checkJson({ value, place: `${path}:${line}: item ${index + 1}` });
        yield { line, row: value };
      }
      return;
    case 'jsonl':
      return yield* jsonLines(path, format);
    case 'csv':
    case 'tsv':
      for await (const { line, row } of readDelimitedRows(path, { ...format, type })) {
        if (line === 1 && format.columns !== undefined) checkFirstRow(row, `${path}:${line}`);
        yield { line, row };
      }
      return;
    case 'parquet':
      for await (const { number, value } of readParquet(path)) yield { line: number, row: value };
      return;
    default:
      return type satisfies never;
  }
}

const optionTypes = {
  field: ['json'],
  columns: ['csv', 'tsv'],
  quotes: ['csv', 'tsv'],
} satisfies Partial<Record<keyof RowFormat, readonly string[]>>;

/** Throws if an option means nothing for the type that a file turns out to have. */
function checkOptions(
  path: string,
  { type, format }: { readonly type: string; readonly format: RowFormat },
): void {
  for (const [option, types] of Object.entries(optionTypes))
    if (format[option as keyof typeof optionTypes] !== undefined && !types.includes(type))
      throw new UserError({
        code: 'unheeded-field',
        message: `${path} is ${type === 'parquet' ? 'Parquet' : type.toUpperCase()}, where \`${option}\` means nothing`,
        help: `leave \`${option}\` out; it is for ${types.map((each) => each.toUpperCase()).join(' and ')}`,
      });
}

/** The lines of a JSONL file. If the type was not given, an only line must not look like all rows of a file. */
async function* jsonLines(path: string, { type }: RowFormat): AsyncGenerator<Omit<Row, 'path'>> {
  let held: { readonly line: number; readonly row: Json } | undefined;
  let count = 0;
  for await (const { number, value } of readJsonl(path)) {
    if (held !== undefined) yield held;
    const row = { line: number, row: value };
    held = type === 'auto' && count === 0 && isObject(value) && holdsRows(value) ? row : undefined;
    if (held === undefined) yield row;
    count += 1;
  }
  if (held !== undefined) throw notAList(path, held.row, 'if it is one row, set `type: jsonl`');
}

/** Throws if the first row of a file that is said to have no header is one. */
function checkFirstRow(row: Readonly<Record<string, string>>, place: string): void {
  const columns = Object.entries(row);
  const same = columns.filter(([name, value]) => value.trim().toLowerCase() === name.toLowerCase());
  const filled = columns.filter(([, value]) => value !== '');
  const isHeader = same.length > columns.length / 2 || (same.length > 0 && same.length === filled.length);
  if (!isHeader) return;
  throw new UserError({
    code: 'header-among-rows',
    message: `${place}: the first row holds the names of the columns: ${same.map(([name]) => `\`${name}\``).join(', ')}`,
    help: '`columns` is for files without a header row: leave it out, and rename columns with `fields`',
  });
}
