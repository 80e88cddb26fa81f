import type { Score } from '../../metrics/index.ts';
import { mainScores, scoreName } from '../../view/index.ts';
import { formatFigure } from '../terminal/format-number.ts';
import { renderTable } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { StageScores } from './outputs.ts';

/** Every evaluation's metrics; those that share a metric are side by side in one table. */
export const scoreTable = (scores: readonly StageScores[]): string =>
  comparable(scores.filter(({ metrics }) => metrics.length > 0))
    .map(comparisonOf)
    .join('\n\n');

/** Evaluations grouped by shared metrics, in the order of the first of each group. */
function comparable(scores: readonly StageScores[]): readonly (readonly StageScores[])[] {
  const groups: StageScores[][] = [];
  for (const stage of scores) {
    const names = new Set(stage.metrics.map(scoreName));
    const group = groups.find((others) =>
      others.some(({ metrics }) => metrics.some((score) => names.has(scoreName(score)))),
    );
    if (group === undefined) groups.push([stage]);
    else group.push(stage);
  }
  return groups;
}

const MOST_COLUMNS = 4;

/** A column for each stage; of more than four stages, a row for each. */
function comparisonOf(scores: readonly StageScores[]): string {
  const shown = scores.map(({ stage, metrics }) => ({ stage, metrics: mainScores(metrics) }));
  const metrics = [...new Set(shown.flatMap((stage) => stage.metrics.map(scoreName)))];
  const cellOf = ({ metrics: own }: StageScores, name: string) =>
    scoreCell(own.find((score) => scoreName(score) === name));
  const upright = shown.length <= MOST_COLUMNS;
  const head = ['', ...(upright ? shown.map(({ stage }) => stage) : metrics.map(safeLine))];
  const rows = upright
    ? metrics.map((name) => [safeLine(name), ...shown.map((stage) => cellOf(stage, name))])
    : shown.map((stage) => [stage.stage, ...metrics.map((name) => cellOf(stage, name))]);
  const table = renderTable({ head, rows, align: ['left', ...head.slice(1).map(() => 'right' as const)] });
  return [
    table,
    ...scores.flatMap(moreLines),
    ...scores.flatMap(leftOutLines),
    ...scores.flatMap(remarkLines),
  ].join('\n');
}

function moreLines({ stage, metrics }: StageScores): readonly string[] {
  const more = metrics.length - mainScores(metrics).length;
  return more === 0 ? [] : [`  ${stage}: ${more} more figures with \`tuneloom show ${stage}\``];
}

/** Names what a mean leaves out, which would otherwise go unnoticed. */
const leftOutLines = ({ stage, metrics }: StageScores): readonly string[] =>
  mainScores(metrics).flatMap(({ metric, count, left_out }) =>
    left_out === undefined
      ? []
      : `  ${stage}: ${safeLine(metric)} leaves out ${left_out.count} of ${count + left_out.count} responses: ${safeLine(left_out.reason)}`,
  );

const remarkLines = ({ stage, metrics }: StageScores): readonly string[] =>
  mainScores(metrics).flatMap((score) =>
    score.remark === undefined ? [] : `  ${stage}: ${safeLine(scoreName(score))}: ${safeLine(score.remark)}`,
  );

export function scoreCell(score: Score | undefined): string {
  if (score === undefined) return '';
  const { value, standard_error, interval } = score;
  if (interval)
    return `${formatFigure(value)} [${formatFigure(interval.low)}, ${formatFigure(interval.high)}]`;
  return standard_error ? `${formatFigure(value)} ± ${standard_error.toPrecision(2)}` : formatFigure(value);
}
