import type { CsvError } from 'csv-parse';
import { UserError } from '../core/index.ts';
import { asUtf8 } from './lines.ts';

const noHeader = 'if the file has no header row, name its columns with `columns`';
const ownQuotes = 'where quotation marks are part of the text, set `quotes: false`';

export const twoColumns = (place: string, name: string): UserError =>
  new UserError({
    code: 'bad-header',
    message: `${place}: two columns have the name \`${name}\``,
    help: `give each column its own name in the file; ${noHeader}`,
  });

export const headerAlone = (path: string): UserError =>
  new UserError({
    code: 'no-records',
    message: `${path} holds no rows: its only line is taken for the names of the columns`,
    help: noHeader,
  });

export const nulCharacters = (path: string): UserError =>
  new UserError({
    code: 'not-utf-8',
    message: `${path} has NUL characters, as UTF-16 and binary files do`,
    help: asUtf8('UTF-16LE'),
  });

export const ambiguousQuotes = (place: string): UserError =>
  new UserError({
    code: 'ambiguous-quotes',
    message: `${place}: a value in quotation marks has both tabs and line breaks, so it may be several rows`,
    help: `${ownQuotes}; if it is one value, set \`quotes: true\``,
  });

export function raggedRow(row: {
  place: string;
  record: readonly string[];
  names: readonly string[];
}): UserError {
  const { length } = row.record;
  const few = 'each row needs a value for each column, which may be empty';
  const many =
    'put a value that contains the delimiter in double quotes, or name all columns in the first line';
  return new UserError({
    code: 'ragged-row',
    message: `${row.place}: the row has ${length} ${length === 1 ? 'value' : 'values'} where there are ${row.names.length} columns`,
    help: length < row.names.length ? few : many,
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

export function unreadable({
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
    help: `put a value with quotation marks in quotation marks, and double each one inside it${type === 'tsv' ? `; ${ownQuotes}` : ''}`,
    cause: error,
  });
}
