import { formatCount, formatFigure } from '../terminal/format-number.ts';
import { renderTable } from '../terminal/table.ts';
import type { LossCourse, StageLosses } from './run-summary.ts';

/** First, last and best losses of every training; empty where there is none. */
export function lossTable(losses: readonly StageLosses[]): string {
  const rows = losses.flatMap(({ stage, train, validation }) => [
    ...(train ? [row([stage, 'train'], train)] : []),
    ...(validation ? [row([train ? '' : stage, 'validation'], validation)] : []),
  ]);
  if (rows.length === 0) return '';
  const align = ['left', 'left', 'right', 'right', 'right', 'left'] as const;
  return renderTable({ head: ['', '', 'first', 'last', 'best', ''], rows, align });
}

const row = (labels: readonly string[], { first, last, best, best_step }: LossCourse): readonly string[] => [
  ...labels,
  ...[first, last, best].map(formatFigure),
  `at step ${formatCount(best_step)}`,
];
