import stringWidth from 'string-width';
import type { Score } from '../../metrics/index.ts';
import { mainScores, scoreName } from '../../view/index.ts';
import { errorText, formatFigure } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { fitTable, renderTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import type { StageScores } from './outputs.ts';

/** Every evaluation's metrics; those that share a metric are side by side in one table. */
export const scoreTable = (scores: readonly StageScores[], terminal: Pick<Terminal, 'width'>): string =>
  comparable(scores.filter(({ metrics }) => metrics.length > 0))
    .map((group) => comparisonOf(group, terminal))
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

/** A column for each stage; of more than four stages, or of stages that do not fit beside each other, a row for each. */
function comparisonOf(scores: readonly StageScores[], { width: columns }: Pick<Terminal, 'width'>): string {
  const shown = scores.map(({ stage, metrics }) => ({ stage, metrics: mainScores(metrics) }));
  const metrics = [...new Set(shown.flatMap((stage) => stage.metrics.map(scoreName)))];
  const cellOf = ({ metrics: own }: StageScores, name: string) =>
    scoreCell(own.find((score) => scoreName(score) === name));
  const byStage = {
    head: ['', ...shown.map(({ stage }) => stage)],
    rows: metrics.map((name) => [safeLine(name), ...shown.map((stage) => cellOf(stage, name))]),
  };
  const byMetric = {
    head: ['', ...metrics.map(safeLine)],
    rows: shown.map((stage) => [stage.stage, ...metrics.map((name) => cellOf(stage, name))]),
  };
  const isUpright =
    shown.length <= MOST_COLUMNS &&
    Math.max(
      ...renderTable(byStage)
        .split('\n')
        .map((line) => stringWidth(line)),
    ) <= columns;
  const { head, rows } = isUpright ? byStage : byMetric;
  const { text, left } = fitTable({
    ...{ head, rows, columns },
    align: ['left', ...head.slice(1).map(() => 'right' as const)],
    fold: ['cut'],
    importance: head.map((_, index) => (index < 2 ? undefined : head.length - index)),
  });
  const names = left.map((at) => head[at] ?? '');
  return [
    text,
    ...(names.length === 0
      ? []
      : [wrapText(`not shown for lack of room: ${names.join(', ')}`, { columns, indent: '  ' })]),
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
  return `${formatFigure(value)}${errorText(value, standard_error)}`;
}
