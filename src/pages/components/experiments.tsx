import { formatDuration, formatFigure, type Json } from '../../core/index.ts';
import type { ExperimentColumn, ExperimentsTable } from '../../view/index.ts';
import { Table, type TableColumn } from './table.tsx';

/** Points of a sweep, or runs: what distinguishes them and how well they did; the best figure of a column is emphasized. */
export function Experiments({ table, label }: { readonly table: ExperimentsTable; readonly label: string }) {
  const { experiments, columns } = table;
  const isSweep = experiments.every(({ point }) => point !== undefined);
  const own: readonly TableColumn<number>[] = columns.map((column) => ({
    title: column.name,
    kind: typeof column.cells.find((cell) => cell !== undefined)?.value === 'number' ? 'number' : 'text',
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

function Cell({ column, row }: { readonly column: ExperimentColumn; readonly row: number }) {
  const cell = column.cells[row];
  if (cell === undefined) return <span class="soft">–</span>;
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
function bestOf({ cells, higherIsBetter }: ExperimentColumn): number | undefined {
  const values = cells.flatMap((cell) => (typeof cell?.value === 'number' ? [cell.value] : []));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? undefined : higherIsBetter ? high : low;
}

/** A setting as it was written; a figure with four digits. */
function spell(value: Json, kind: ExperimentColumn['kind']): string {
  if (typeof value === 'number' && (kind === 'loss' || kind === 'score')) return formatFigure(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const sortValue = (value: Json | undefined): string | number | undefined =>
  value === undefined || typeof value === 'number' || typeof value === 'string'
    ? value
    : JSON.stringify(value);
