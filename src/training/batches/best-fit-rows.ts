import type { Example } from './example.ts';

/**
 * Examples sharing rows of at most `length` tokens: the longest first, each into the row that it leaves the least room
 * in (best fit decreasing), so that few rows are needed. Within a row, and among rows, they keep their order.
 */
export function bestFitRows(examples: readonly Example[], length: number): readonly (readonly Example[])[] {
  const longestFirst = [...examples.entries()].sort(([, a], [, b]) => b.inputs.length - a.inputs.length);
  /** By room: the rows that have just so much left. */
  const rowsWithRoom = Array.from({ length: length + 1 }, (): number[][] => []);
  const rows: number[][] = [];
  for (const [place, { inputs }] of longestFirst) {
    const room = rowsWithRoom.findIndex((open, room) => room >= inputs.length && open.length > 0);
    const row = rowsWithRoom[room]?.pop() ?? [];
    if (row.length === 0) rows.push(row);
    row.push(place);
    rowsWithRoom[(room === -1 ? length : room) - inputs.length]?.push(row);
  }
  const ordered = rows.map((row) => row.sort(upwards)).sort(([a = 0], [b = 0]) => a - b);
  return ordered.map((row) => row.flatMap((place) => examples[place] ?? []));
}

const upwards = (a: number, b: number) => a - b;
