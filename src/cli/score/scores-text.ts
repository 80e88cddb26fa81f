import type {
  BenchmarkScore,
  BenchmarkScores,
  Remark,
} from '../../stages/evaluate/benchmarks/benchmark-scores.ts';
import { formatCount, formatFigure } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { shortLine } from '../terminal/short-line.ts';
import { renderTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { wrapText } from '../terminal/wrap-text.ts';

const WIDEST_NAME = 26;
const MOST_IDS = 3;

/** A row a figure with its error, then what a reader has to know. */
export function scoresText(
  { metrics, remarks }: BenchmarkScores,
  { columns }: Pick<Terminal, 'columns'>,
): string {
  const rows = metrics.map((score) => [
    score.metric,
    score.of === undefined ? '' : shortLine(safeLine(score.of), WIDEST_NAME),
    figure(score.value),
    errorOf(score),
    formatCount(score.count),
  ]);
  // Most benchmarks rate one thing: their table has no column for it.
  const isUsed = (column: number): boolean => column !== 1 || metrics.some(({ of }) => of !== undefined);
  const pick = <Cell>(row: readonly Cell[]): readonly Cell[] => row.filter((_, column) => isUsed(column));
  const table = renderTable({
    head: pick(['metric', 'of', 'value', 'error', 'count']),
    rows: rows.map(pick),
    align: pick(['left', 'left', 'right', 'right', 'right']),
    indent: '',
  });
  return [table, ...paragraph(notes({ metrics, remarks }).map((note) => wrapText(note, { columns })))].join(
    '\n\n',
  );
}

const paragraph = (lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [lines.join('\n')];

const figure = (value: number): string =>
  Number.isInteger(value) ? formatCount(value) : formatFigure(value);

function errorOf({ standard_error, interval }: BenchmarkScore): string {
  if (interval) return `[${figure(interval.low)}, ${figure(interval.high)}]`;
  return standard_error === undefined ? '' : `± ${standard_error.toPrecision(2)}`;
}

function notes({ metrics, remarks }: BenchmarkScores): readonly string[] {
  const interval = metrics.find((score) => score.interval)?.interval;
  return [
    ...(metrics.some(({ standard_error }) => standard_error !== undefined)
      ? ['±: the standard error of a mean.']
      : []),
    ...(interval
      ? [`[low, high]: 95 % of ${formatCount(interval.rounds)} bootstrap rounds, seed ${interval.seed}.`]
      : []),
    ...remarks.map((remark) => `note: ${remarkText(remark)}.`),
  ];
}

function remarkText({ text, ids }: Remark): string {
  if (ids === undefined) return text;
  const shown = ids.slice(0, MOST_IDS).map((id) => safeLine(id));
  return `${text}: ${formatCount(ids.length)} (${[...shown, ...(ids.length > MOST_IDS ? ['...'] : [])].join(', ')})`;
}
