import { pipeline } from 'node:stream';
import { TextDecoder } from 'node:util';
import { readBytes } from './byte-stream.ts';
import {
  ambiguousQuotes,
  headerAlone,
  nulCharacters,
  raggedRow,
  twoColumns,
  unreadable,
} from './delimited-faults.ts';
import { notUtf8 } from './lines.ts';

interface DelimitedFormat {
  readonly type: 'csv' | 'tsv';
  /** The column names of a file without a header row. */
  readonly columns?: readonly string[] | undefined;
  /**
   * Whether a value may stand in quotation marks. If undefined it may, except that a TSV file must not have both tabs and
   * line breaks in one: that is more likely several rows between two quotation marks of the text.
   */
  readonly quotes?: boolean | undefined;
}

/** A quote that is never closed swallows the rest of the file, up to this limit. */
const maximumRecordCharacters = 16 * 1024 * 1024;

/** The rows of a CSV or TSV file, each with the line on which it starts; all values are text. */
export async function* readDelimitedRows(
  path: string,
  format: DelimitedFormat,
): AsyncGenerator<{ readonly line: number; readonly row: Readonly<Record<string, string>> }> {
  let names = format.columns;
  let count = 0;
  for await (const { record, line } of records(path, format)) {
    const place = `${path}:${line}`;
    if (names === undefined) {
      names = headerOf(record, place);
      continue;
    }
    if (record.length !== names.length) throw raggedRow({ place, record, names });
    const fields = names.map((name, index) => [name, record[index] ?? ''] as const);
    count += 1;
    yield { line, row: Object.fromEntries(fields) };
  }
  if (count === 0 && names !== undefined) throw headerAlone(path);
}

async function* records(
  path: string,
  format: DelimitedFormat,
): AsyncGenerator<{ readonly record: readonly string[]; readonly line: number }> {
  const { type, quotes } = format;
  // A lazy import, because every command loads the benchmarks, which declare readers of CSV files.
  const { CsvError, parse } = await import('csv-parse');
  const text = decoded(path);
  const { value: beginning = '' } = await text.next();
  const [mark = '', separator] = /^sep=(.)\r?\n/.exec(beginning) ?? [];
  const lines = new LineCounter(mark === '' ? 0 : 1);
  const parser = parse({
    bom: true,
    delimiter: separator ?? delimiterOf(beginning, format),
    on_record: (record: string[], { lines: end }) => {
      lines.pass(record, end);
      return record;
    },
    quote: quotes === false ? null : '"',
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maximumRecordCharacters,
  });
  const whole = async function* () {
    yield beginning.slice(mark.length);
    yield* text;
  };
  // A reader that stops early also closes the file; errors come out of the parser.
  pipeline(whole(), parser, () => {});
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      const line = lines.take();
      if (type === 'tsv' && quotes === undefined && record.some(hasTabAndBreak))
        throw ambiguousQuotes(`${path}:${line}`);
      yield { record, line };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = error.code === 'CSV_QUOTE_NOT_CLOSED' ? lines.next : lines.actual(Number(error.lines));
    throw unreadable({ path, type, line, error });
  }
}

const hasTabAndBreak = (value: string): boolean => value.includes('\t') && /[\r\n]/.test(value);

/** Programs whose language has a decimal comma write CSV with semicolons, some after a line `sep=;` for Excel. */
const otherDelimiters = [';', '|'];

/** The first that occurs in the header row or, without one, that gives the first rows as many values as there are columns. */
function delimiterOf(text: string, { type, columns }: DelimitedFormat): string {
  if (type === 'tsv') return '\t';
  const lines = text
    .replace(/"[^"]*"/g, '')
    .split(/[\r\n]+/, 20)
    .filter((line) => line !== '');
  const countOf = (line: string, delimiter: string) => line.split(delimiter).length;
  const fits = (delimiter: string) =>
    columns === undefined
      ? countOf(lines[0] ?? '', delimiter) > 1
      : columns.length > 1 && lines.every((line) => countOf(line, delimiter) === columns.length);
  return [',', ...otherDelimiters].find(fits) ?? ',';
}

/** Finds the lines on which records start; csv-parse counts those on which they end. */
class LineCounter {
  readonly #starts: number[] = [];
  /** The line after the last record that was parsed. */
  next: number;
  readonly #before: number;
  /** csv-parse counts a CRLF inside a quoted value as two lines. */
  #surplus = 0;

  /** `before`: how many lines csv-parse does not see. */
  constructor(before: number) {
    this.#before = before;
    this.next = 1 + before;
  }

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
    return line - this.#surplus + this.#before;
  }
}

async function* decoded(path: string): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of readBytes(path)) {
      const text = decoder.decode(chunk, { stream: true });
      if (text.includes('\0')) throw nulCharacters(path);
      yield text;
    }
    yield decoder.decode();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw await notUtf8(path, cause);
  }
}

/** The names in a header row. A column without one gets pandas's, such as `Unnamed: 0` for the index that pandas writes. */
function headerOf(record: readonly string[], place: string): readonly string[] {
  const names = record.map((name, index) => (name === '' ? `Unnamed: ${index}` : name));
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw twoColumns(place, twice);
  return names;
}
