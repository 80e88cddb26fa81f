import { UserError } from '../../user-error.ts';

/** Rows of different lengths, one after the other: row i is `values[ends[i - 1] ?? 0 .. ends[i]]`. */
export interface PackedRows {
  readonly values: Int32Array;
  readonly ends: Int32Array;
}

export function packRows(rows: readonly ArrayLike<number>[]): PackedRows {
  const ends = new Int32Array(rows.length);
  let total = 0;
  for (const [index, row] of rows.entries()) {
    total += row.length;
    ends[index] = total;
  }
  const values = new Int32Array(total);
  for (const [index, row] of rows.entries()) values.set(row, (ends[index] ?? 0) - row.length);
  return { values, ends };
}

/** Views into `values`, which they share. */
export function unpackRows({ values, ends }: PackedRows, path: string): Int32Array[] {
  let start = 0;
  const rows = Array.from(ends, (end) => {
    if (end < start || end > values.length) throw badRows(path);
    const row = values.subarray(start, end);
    start = end;
    return row;
  });
  if (start !== values.length) throw badRows(path);
  return rows;
}

function badRows(path: string): UserError {
  return new UserError({ code: 'bad-rows', message: `${path}: the rows' ends do not tile their values` });
}
