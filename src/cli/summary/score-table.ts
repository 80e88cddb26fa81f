import type { Score } from '../../stages/ports/scores.ts';
import { formatFigure } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { renderTable } from '../terminal/table.ts';
import type { StageScores } from './run-summary.ts';
import { scoreName } from './score-name.ts';

const MOST_COLUMNS = 4;

/** Every evaluation's metrics side by side: a column a stage, or a row a stage where there are many. */
export function scoreTable(scores: readonly StageScores[]): string {
  const metrics = [...new Set(scores.flatMap((stage) => stage.metrics.map(scoreName)))];
  if (metrics.length === 0) return '';
  const cellOf = ({ metrics: own }: StageScores, name: string) =>
    scoreCell(own.find((score) => scoreName(score) === name));
  const upright = scores.length <= MOST_COLUMNS;
  const head = ['', ...(upright ? scores.map(({ stage }) => stage) : metrics.map(safeLine))];
  const rows = upright
    ? metrics.map((name) => [safeLine(name), ...scores.map((stage) => cellOf(stage, name))])
    : scores.map((stage) => [stage.stage, ...metrics.map((name) => cellOf(stage, name))]);
  const table = renderTable({ head, rows, align: ['left', ...head.slice(1).map(() => 'right' as const)] });
  return [table, ...scores.flatMap(leftOutLines), ...scores.flatMap(remarkLines)].join('\n');
}

/** What a mean does not count would otherwise go unnoticed. */
const leftOutLines = ({ stage, metrics }: StageScores): readonly string[] =>
  metrics.flatMap(({ metric, count, left_out }) =>
    left_out === undefined
      ? []
      : `  ${stage}: ${safeLine(metric)} leaves out ${left_out.count} of ${count + left_out.count} responses: ${safeLine(left_out.reason)}`,
  );

const remarkLines = ({ stage, metrics }: StageScores): readonly string[] =>
  metrics.flatMap((score) =>
    score.remark === undefined ? [] : `  ${stage}: ${safeLine(scoreName(score))}: ${safeLine(score.remark)}`,
  );

export function scoreCell(score: Score | undefined): string {
  if (score === undefined) return '';
  const { value, standard_error, interval } = score;
  if (interval)
    return `${formatFigure(value)} [${formatFigure(interval.low)}, ${formatFigure(interval.high)}]`;
  return standard_error ? `${formatFigure(value)} ± ${standard_error.toPrecision(2)}` : formatFigure(value);
}
