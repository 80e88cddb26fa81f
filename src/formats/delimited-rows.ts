import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { TextDecoder } from 'node:util';
import type { CsvError } from 'csv-parse';
import { UserError } from '../core/index.ts';
import { notUtf8 } from './lines.ts';

interface DelimitedFormat {
  readonly type: 'csv' | 'tsv';
  /** Names of the columns where the file has no header row. */
  readonly columns: readonly string[] | undefined;
}

interface DelimitedRow {
  /** The line on which it begins. */
  readonly line: number;
  readonly row: Readonly<Record<string, string>>;
}

/** A quote that is never closed swallows the rest of the file, but no more than this. */
const maximumRecordCharacters = 16 * 1024 * 1024;

/** The rows of a CSV or TSV file, all values as text. TSV has no quotes. */
export async function* readDelimitedRows(
  path: string,
  format: DelimitedFormat,
): AsyncGenerator<DelimitedRow> {
  let names = format.columns;
  let count = 0;
  for await (const { record, line } of records(path, format)) {
    if (names === undefined) {
      names = checkHeader(record, `${path}:${line}`);
      continue;
    }
    if (record.length !== names.length) throw raggedRow({ place: `${path}:${line}`, record, names });
    const fields = names.map((name, index) => [name, record[index] ?? ''] as const);
    count += 1;
    yield { line, row: Object.fromEntries(fields) };
  }
  if (count === 0 && names !== undefined) throw headerAlone(path);
}

interface DelimitedRecord {
  readonly record: readonly string[];
  /** The line on which it begins. */
  readonly line: number;
}

async function* records(path: string, { type }: DelimitedFormat): AsyncGenerator<DelimitedRecord> {
  const lines = new LineCounter();
  // Only now: the benchmarks, which every command loads, declare readers of CSV files.
  const { CsvError, parse } = await import('csv-parse');
  const parser = parse({
    bom: true,
    on_record: (record: string[], { lines: end }) => {
      lines.pass(record, end);
      return record;
    },
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maximumRecordCharacters,
    ...(type === 'tsv' ? { delimiter: '\t', quote: null } : {}),
  });
  // Whoever stops reading early closes the file too; errors come out of the parser.
  pipeline(decoded(path), parser, () => {});
  try {
    for await (const record of parser as AsyncIterable<string[]>) yield { record, line: lines.take() };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = error.code === 'CSV_QUOTE_NOT_CLOSED' ? lines.next : lines.actual(Number(error.lines));
    throw unreadable({ path, type, line, error });
  }
}

/** Finds the lines on which records begin; csv-parse counts those on which they end. */
class LineCounter {
  readonly #begins: number[] = [];
  /** The line after the last record that was parsed. */
  next = 1;
  /** csv-parse takes a CRLF within a quoted value for two lines. */
  #surplus = 0;

  /** csv-parse saw a record end on that line. */
  pass(record: readonly string[], end: number): void {
    const breaks = record.flatMap((value) => value.match(/\r\n|\r|\n/g) ?? []);
    this.#surplus += breaks.filter((text) => text.length === 2).length;
    this.next = this.actual(end) + 1;
    this.#begins.push(this.actual(end) - breaks.length);
  }

  /** The line on which the next record begins, in the order in which they passed. */
  take(): number {
    return this.#begins.shift() ?? this.next;
  }

  actual(line: number): number {
    return line - this.#surplus;
  }
}

async function* decoded(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>)
      yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw await notUtf8(path, cause);
  }
}

function checkHeader(names: readonly string[], place: string): readonly string[] {
  const help = 'name the columns with `columns` where the file has no header row';
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (names.includes('')) {
    const message = `${place}: column ${names.indexOf('') + 1} of the header has no name`;
    throw new UserError({ code: 'bad-header', message, help });
  }
  if (twice === undefined) return names;
  throw new UserError({
    code: 'bad-header',
    message: `${place}: two columns have the name \`${twice}\``,
    help,
  });
}

const headerAlone = (path: string): UserError =>
  new UserError({
    code: 'no-records',
    message: `${path} holds no rows: its only line is taken for the names of the columns`,
    help: 'name the columns with `columns` where the file has no header row',
  });

function raggedRow(row: { place: string; record: readonly string[]; names: readonly string[] }): UserError {
  return new UserError({
    code: 'ragged-row',
    message: `${row.place}: the row has ${row.record.length} values where there are ${row.names.length} columns`,
    help: 'a value that contains the delimiter stands in double quotes',
  });
}

/** csv-parse's codes -> what they mean; others are shown in its own words. */
const quoteFaults: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quotation mark is opened in the row that begins here and never closed',
  CSV_INVALID_CLOSING_QUOTE: 'text follows the quotation mark that closes a value',
  INVALID_OPENING_QUOTE: 'a quotation mark stands inside a value that is not quoted',
  CSV_MAX_RECORD_SIZE:
    'a row has more than 16 Mi characters, perhaps for a quotation mark that is never closed',
};

interface UnreadableText {
  readonly path: string;
  readonly type: string;
  readonly line: number;
  readonly error: CsvError;
}

function unreadable({ path, type, line, error }: UnreadableText): UserError {
  return new UserError({
    code: 'bad-delimited-text',
    message: `${path}:${line}: not ${type.toUpperCase()}: ${quoteFaults[error.code] ?? error.message}`,
    help: 'a value with quotation marks stands in quotation marks itself, and each within it is written twice',
    cause: error,
  });
}
