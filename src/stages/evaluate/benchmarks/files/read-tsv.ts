import { UserError } from '../../../../user-error.ts';
import { type BenchmarkFile, readText } from './benchmark-file.ts';

/** A row of a TSV file: its values by the names of their columns. */
export interface TsvRow {
  readonly place: string;
  readonly values: Readonly<Record<string, string>>;
}

/** The rows of a TSV file, in which a quotation mark is a letter like any other. Its first line names the columns, unless they are given. */
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

/** The value of a column that has to be there. */
export function columnOf({ place, values }: TsvRow, column: string): string {
  const value = Object.hasOwn(values, column) ? values[column] : undefined;
  if (value !== undefined) return value;
  throw new UserError({
    code: 'missing-column',
    message: `${place}: there is no column \`${column}\`; there are ${Object.keys(values).join(', ')}`,
  });
}
