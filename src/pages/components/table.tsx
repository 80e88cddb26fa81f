import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Sideways } from './layout.tsx';

export interface TableColumn<Row> {
  readonly title: ComponentChildren;
  readonly cell: (row: Row) => ComponentChildren;
  readonly kind?: 'text' | 'number' | 'nowrap';
  /** What the column sorts by; a column without it does not sort. Rows without a value come last. */
  readonly sortBy?: (row: Row) => string | number | undefined;
  /** Which way the first click sorts; numbers where more is better start with the highest. */
  readonly first?: 'ascending' | 'descending';
}

/** A table that sorts by its columns. The first column names the row. */
export function Table<Row>({
  label,
  columns,
  rows,
  rowKey,
  rowId,
  rowClass,
  isPinned,
}: {
  readonly label: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** Where a link to the row leads. */
  readonly rowId?: (row: Row) => string;
  readonly rowClass?: (row: Row) => string | undefined;
  /** Rows that stay above the others, however the table is sorted. */
  readonly isPinned?: (row: Row) => boolean;
}) {
  const [order, setOrder] = useState<Order | undefined>(undefined);
  const all = order === undefined ? rows : sortedBy(rows, { ...order, value: columns[order.column]?.sortBy });
  const sorted =
    isPinned === undefined ? all : [...all.filter(isPinned), ...all.filter((row) => !isPinned(row))];
  return (
    <Sideways label={label} kind="table-frame">
      <table class="table" aria-label={label}>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th
                key={index}
                scope="col"
                class={classOf(column.kind)}
                aria-sort={order?.column === index ? order.direction : undefined}
              >
                {column.sortBy === undefined ? (
                  column.title
                ) : (
                  <button
                    type="button"
                    class="sort"
                    onClick={() => setOrder(nextOrder(order, { column: index, first: column.first }))}
                  >
                    {column.title}
                    <span aria-hidden="true">{arrowOf(order, index)}</span>
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={rowKey(row)} id={rowId?.(row)} class={rowClass?.(row)}>
              {columns.map((column, index) =>
                index === 0 ? (
                  <th key="name" scope="row" class={classOf(column.kind)}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={index} class={classOf(column.kind)}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Sideways>
  );
}

/** Cells of text have no class: `.text` is for text of data, which may break anywhere. */
const classOf = (kind: 'text' | 'number' | 'nowrap' | undefined): string | undefined =>
  kind === 'text' ? undefined : kind;

interface Order {
  readonly column: number;
  readonly direction: 'ascending' | 'descending';
}

/** The first way, the other way, then as given. */
function nextOrder(
  order: Order | undefined,
  {
    column,
    first = 'ascending',
  }: { readonly column: number; readonly first: Order['direction'] | undefined },
): Order | undefined {
  if (order?.column !== column) return { column, direction: first };
  if (order.direction !== first) return undefined;
  return { column, direction: first === 'ascending' ? 'descending' : 'ascending' };
}

const arrowOf = (order: Order | undefined, column: number): string =>
  order?.column !== column ? '↕' : order.direction === 'ascending' ? '↑' : '↓';

function sortedBy<Row>(
  rows: readonly Row[],
  { direction, value }: Order & { readonly value: TableColumn<Row>['sortBy'] },
): readonly Row[] {
  if (value === undefined) return rows;
  const sign = direction === 'ascending' ? 1 : -1;
  return [...rows].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
    return a === b ? 0 : a < b ? -sign : sign;
  });
}
