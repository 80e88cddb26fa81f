import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { TextDecoder } from 'node:util';
import type { CsvError } from 'csv-parse';
import { UserError } from '../core/index.ts';
import { notUtf8 } from './lines.ts';

interface DelimitedFormat {
  readonly type: 'csv' | 'tsv';
  /** The column names of a file without a header row. */
  readonly columns: readonly string[] | undefined;
}

/** A quote that is never closed swallows the rest of the file, up to this limit. */
const maximumRecordCharacters = 16 * 1024 * 1024;

/** The rows of a CSV or TSV file, each with the line on which it starts; all values are text. TSV has no quotes. */
export async function* readDelimitedRows(
  path: string,
  format: DelimitedFormat,
): AsyncGenerator<{ readonly line: number; readonly row: Readonly<Record<string, string>> }> {
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

async function* records(
  path: string,
  { type }: DelimitedFormat,
): AsyncGenerator<{ readonly record: readonly string[]; readonly line: number }> {
  const lines = new LineCounter();
  // A lazy import, because every command loads the benchmarks, which declare readers of CSV files.
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
  // A reader that stops early also closes the file; errors come out of the parser.
  pipeline(decoded(path), parser, () => {});
  try {
    for await (const record of parser as AsyncIterable<string[]>) yield { record, line: lines.take() };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = error.code === 'CSV_QUOTE_NOT_CLOSED' ? lines.next : lines.actual(Number(error.lines));
    throw unreadable({ path, type, line, error });
  }
}

/** Finds the lines on which records start; csv-parse counts those on which they end. */
class LineCounter {
  readonly #starts: number[] = [];
  /** The line after the last record that was parsed. */
  next = 1;
  /** csv-parse counts a CRLF inside a quoted value as two lines. */
  #surplus = 0;

  /** Called when csv-parse sees a record end on a line. */
  pass(record: readonly string[], end: number): void {
    const breaks = record.flatMap((value) => value.match(/\r\n|\r|\n/g) ?? []);
    this.#surplus += breaks.filter((text) => text.length === 2).length;
    this.next = this.actual(end) + 1;
    this.#starts.push(this.actual(end) - breaks.length);
  }

  /** The line on which the next record starts, in the order of the calls to pass. */
  take(): number {
    return this.#starts.shift() ?? this.next;
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
    help: 'put a value that contains the delimiter in double quotes',
  });
}

/** csv-parse's codes -> what they mean; for others its own message is shown. */
const quoteFaults: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quotation mark in the row that starts here is never closed',
  CSV_INVALID_CLOSING_QUOTE: 'text follows the quotation mark that closes a value',
  INVALID_OPENING_QUOTE: 'an unquoted value contains a quotation mark',
  CSV_MAX_RECORD_SIZE:
    'a row has more than 16 Mi characters, perhaps because a quotation mark is never closed',
};

function unreadable({
  path,
  type,
  line,
  error,
}: {
  readonly path: string;
  readonly type: string;
  readonly line: number;
  readonly error: CsvError;
}): UserError {
  return new UserError({
    code: 'bad-delimited-text',
    message: `${path}:${line}: not ${type.toUpperCase()}: ${quoteFaults[error.code] ?? error.message}`,
    help: 'put a value with quotation marks in quotation marks, and double each one inside it',
    cause: error,
  });
}
