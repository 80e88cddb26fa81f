import Table from 'cli-table3';

const NO_LINES = Object.fromEntries(
  [
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ]
    .flat()
    .map((place) => [place, '']),
);

export interface TableContent {
  readonly head?: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** `right` for the columns of numbers; `left` where it says nothing. */
  readonly align?: readonly ('left' | 'right')[];
  readonly indent?: string;
}

/** Columns set apart by two spaces, without lines; cells must be safe for a terminal already. */
export function renderTable({ head, rows, align = [], indent = '  ' }: TableContent): string {
  const table = new Table({
    chars: { ...NO_LINES, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: [...align],
  });
  if (head) table.push([...head]);
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => `${indent}${line}`.trimEnd())
    .join('\n');
}
