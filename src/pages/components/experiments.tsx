import { formatDuration, formatFigure, type Json } from '../../core/index.ts';
import type { SweepPage } from '../../view/index.ts';
import { Table, type TableColumn } from './table.tsx';

/** May break after a dot: `train.early_stop.patience` is wider than its values. */
const breakable = (name: string) =>
  name.split(/(?<=\.)/).flatMap((piece, index) => (index === 0 ? [piece] : [<wbr key={piece} />, piece]));

type Column = SweepPage['columns'][number];

/** Points of a sweep, or runs: what distinguishes them and how well they did; the best figure of a column is emphasized. */
export function Experiments({ table, label }: { readonly table: SweepPage; readonly label: string }) {
  const { experiments, columns } = table;
  const isSweep = experiments.every(({ point }) => point !== undefined);
  const own: readonly TableColumn<number>[] = columns.map((column) => ({
    title: breakable(column.name),
    kind: typeof column.cells.find((cell) => cell !== null)?.value === 'number' ? 'number' : 'text',
    cell: (row) => <Cell column={column} row={row} />,
    sortBy: (row) => sortValue(column.cells[row]?.value),
    first: column.higherIsBetter ? 'descending' : 'ascending',
  }));
  const name: TableColumn<number> = {
    title: isSweep ? 'point' : 'run',
    kind: 'nowrap',
    cell: (row) => (isSweep ? row + 1 : experiments[row]?.run.split('-').at(-1)),
    sortBy: (row) => row,
  };
  const time: TableColumn<number> = {
    title: 'time',
    kind: 'number',
    cell: (row) => {
      const milliseconds = experiments[row]?.milliseconds;
      return milliseconds === undefined ? '' : formatDuration(milliseconds);
    },
    sortBy: (row) => experiments[row]?.milliseconds,
  };
  const state: TableColumn<number> = { title: 'state', cell: (row) => experiments[row]?.state ?? '' };
  return (
    <Table
      label={label}
      columns={[name, ...own, time, state]}
      rows={experiments.map((_, index) => index)}
      rowKey={(row) => `${row}`}
    />
  );
}

function Cell({ column, row }: { readonly column: Column; readonly row: number }) {
  const cell = column.cells[row];
  if (!cell) return <span class="soft">–</span>;
  const isBest = column.higherIsBetter !== undefined && cell.value === bestOf(column);
  const text = spell(cell.value, column.kind);
  return isBest ? (
    <strong class="best">
      {text}
      <span class="hidden-visually"> (best)</span>
    </strong>
  ) : (
    text
  );
}

/** The best value of a figure; undefined if all are equal. */
function bestOf({ cells, higherIsBetter }: Column): number | undefined {
  const values = cells.flatMap((cell) => (typeof cell?.value === 'number' ? [cell.value] : []));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? undefined : higherIsBetter ? high : low;
}

/** A setting as it was written; a figure with four digits. */
function spell(value: Json, kind: Column['kind']): string {
  if (typeof value === 'number' && (kind === 'loss' || kind === 'score')) return formatFigure(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const sortValue = (value: Json | undefined): string | number | undefined =>
  value === undefined || typeof value === 'number' || typeof value === 'string'
    ? value
    : JSON.stringify(value);
