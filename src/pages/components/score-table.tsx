import { formatFigure } from '../../core/index.ts';
import type { RunColumn, ScoreCell, ScoreRow, ScoreTable } from '../../view/index.ts';
import { Table, type TableColumn } from './table.tsx';

/** Evaluations side by side, with the ends of their intervals and the change from the first to the last. */
export function Scores({
  table,
  nameOf,
}: {
  /** `baseline` is the column that the last one is compared with. */
  readonly table: ScoreTable & { readonly baseline?: number };
  readonly nameOf: (column: RunColumn) => string;
}) {
  const { columns, rows, baseline } = table;
  const changeOf = (row: ScoreRow) => differenceIn(row, baseline);
  const figures = columns.map(
    (column, index): TableColumn<ScoreRow> => ({
      title: nameOf(column),
      kind: 'number',
      cell: ({ cells }) => <Figure cell={cells[index]} />,
      sortBy: ({ cells }) => cells[index]?.value ?? undefined,
      first: 'descending',
    }),
  );
  const change: readonly TableColumn<ScoreRow>[] =
    baseline === undefined
      ? []
      : [
          {
            title: 'change',
            kind: 'number',
            cell: (row) => <Change row={row} change={changeOf(row)} />,
            sortBy: changeOf,
            first: 'descending',
          },
        ];
  return (
    <div class="block">
      <Table
        label={`Scores of ${columns.map(nameOf).join(', ')}`}
        columns={[{ title: 'metric', cell: metricName }, ...figures, ...change]}
        rows={rows}
        rowKey={metricName}
      />
      <Remarks table={table} nameOf={nameOf} />
    </div>
  );
}

const metricName = ({ metric, of }: ScoreRow): string => (of === undefined ? metric : `${metric} (${of})`);

/** A value with its 95 % interval. */
export function Figure({ cell }: { readonly cell: ScoreCell | null | undefined }) {
  if (cell === null || cell === undefined) return <span class="soft">–</span>;
  const { value, low, high } = cell;
  return (
    <>
      {value === null ? 'undefined' : formatFigure(value)}
      {low !== undefined && high !== undefined && low < high && (
        <>
          {' '}
          <span class="range">
            [{formatFigure(low)}, {formatFigure(high)}]
          </span>
        </>
      )}
    </>
  );
}

function differenceIn({ cells }: ScoreRow, baseline: number | undefined): number | undefined {
  const [first, last] = [cells[baseline ?? -1]?.value, cells.at(-1)?.value];
  return typeof first === 'number' && typeof last === 'number' ? last - first : undefined;
}

function Change({ row, change }: { readonly row: ScoreRow; readonly change: number | undefined }) {
  if (change === undefined) return <span class="soft">–</span>;
  if (change === 0) return <span class="soft">the same</span>;
  return <Delta change={change} isBetter={change > 0 === row.higher_is_better} />;
}

/** A difference, and in words whether it is an improvement. */
export function Delta({ change, isBetter }: { readonly change: number; readonly isBetter: boolean }) {
  return (
    <span class={isBetter ? 'up' : 'down'}>
      {change > 0 ? '+' : '−'}
      {formatFigure(Math.abs(change))} {isBetter ? 'better' : 'worse'}
    </span>
  );
}

/** What a reader of the figures has to know. */
function Remarks({
  table: { columns, rows, baseline },
  nameOf,
}: {
  readonly table: ScoreTable & { readonly baseline?: number };
  readonly nameOf: (column: RunColumn) => string;
}) {
  const remarks = rows.flatMap((row) =>
    row.cells.flatMap((cell, index) => {
      const column = columns[index];
      if (!cell || column === undefined) return [];
      const { left_out, remark, count } = cell;
      const about = `${nameOf(column)}, ${metricName(row)}`;
      return [
        ...(left_out
          ? [
              `${about} leaves out ${left_out.count} of ${count + left_out.count} responses: ${left_out.reason}`,
            ]
          : []),
        ...(remark === undefined ? [] : [`${about}: ${remark}`]),
      ];
    }),
  );
  const counts = [
    ...new Set(rows.flatMap(({ cells }) => cells.flatMap((cell) => (cell ? [cell.count] : [])))),
  ];
  const [before, after] = [columns[baseline ?? -1], columns.at(-1)];
  return (
    <div class="small soft">
      <p>
        {before && after && columns.length > 2 ? `Change: from ${nameOf(before)} to ${nameOf(after)}. ` : ''}
        {counts.length === 1 ? `${counts[0]} records. ` : ''}In brackets: 95 % intervals.{' '}
        {rows.some(({ higher_is_better }) => !higher_is_better)
          ? `Lower is better for ${rows
              .filter(({ higher_is_better }) => !higher_is_better)
              .map(metricName)
              .join(', ')}.`
          : 'Higher is better.'}
      </p>
      {remarks.length > 0 && (
        <ul>
          {remarks.map((remark) => (
            <li key={remark}>{remark}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
