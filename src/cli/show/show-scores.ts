import type { Score } from '../../metrics/index.ts';
import { portCodecs } from '../../stages/index.ts';
import { scoreName } from '../../view/index.ts';
import { formatCount, formatFigure } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { fitTable, renderTable } from '../terminal/table.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import { type Shown, type ShowSource, windowNote, windowOf } from './shown.ts';

const SCORES_LIMIT = 10;

/** The metrics, then their values record by record. */
export async function showScores({ path, offset, limit = SCORES_LIMIT }: ShowSource): Promise<Shown> {
  const { metrics, records = [] } = await portCodecs.scores.read(path).read();
  const window = await windowOf(records, { offset, limit });
  return {
    json: { metrics, records: window },
    text: ({ width }) => {
      const parts = [metricTable(metrics, width)];
      if (window.total > 0) parts.push(recordTable(window.items, width), windowNote(window, 'records'));
      return parts.join('\n\n').trimEnd();
    },
    csv: window.items.map(({ id, values }) => ({ id, ...values })),
  };
}

function metricTable(metrics: readonly Score[], columns: number): string {
  return renderTable({
    head: ['metric', 'value', 'standard error', 'records', ''],
    rows: metrics.map(scoreRow),
    align: ['left', 'right', 'right', 'right', 'left'],
    fold: ['cut', undefined, undefined, undefined, 'wrap'],
    ...{ columns, indent: '' },
  });
}

function scoreRow(score: Score): readonly string[] {
  const { value, standard_error, interval, count, higher_is_better, left_out, remark } = score;
  return [
    safeLine(scoreName(score)),
    formatFigure(value),
    standard_error === undefined ? '' : formatFigure(standard_error),
    formatCount(count),
    [
      higher_is_better ? 'higher is better' : 'lower is better',
      ...(interval ? [`95 % from ${formatFigure(interval.low)} to ${formatFigure(interval.high)}`] : []),
      ...(left_out ? [`${left_out.count} left out: ${safeLine(left_out.reason)}`] : []),
      ...(remark === undefined ? [] : [safeLine(remark)]),
    ].join('; '),
  ];
}

type ScoredRecord = { readonly id: string; readonly values: Readonly<Record<string, unknown>> };

function recordTable(records: readonly ScoredRecord[], columns: number): string {
  const names = [...new Set(records.flatMap(({ values }) => Object.keys(values)))];
  const { text, left } = fitTable({
    head: ['record', ...names.map(safeLine)],
    rows: records.map(({ id, values }) => [safeLine(id), ...names.map((name) => cell(values[name]))]),
    align: ['left', ...names.map(() => 'right' as const)],
    fold: ['cut', ...names.map(() => 'cut' as const)],
    importance: [undefined, ...names.map((_, index) => (index === 0 ? undefined : -index))],
    ...{ columns, indent: '' },
  });
  const rest = left.map((at) => safeLine(names[at - 1] ?? '')).join(', ');
  return rest === ''
    ? text
    : `${text}\n${wrapText(`not shown for lack of room: ${rest}; --csv has all`, { columns })}`;
}

function cell(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : formatFigure(value);
  return value === undefined ? '' : safeLine(typeof value === 'string' ? value : JSON.stringify(value));
}
