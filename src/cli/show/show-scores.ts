import { portCodecs } from '../../stages/ports/port-codecs.ts';
import type { Score } from '../../stages/ports/scores.ts';
import { scoreName } from '../summary/score-name.ts';
import { formatCount, formatFigure } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { renderTable } from '../terminal/table.ts';
import type { Shown, ShowSource } from './shown.ts';
import { windowNote, windowOf } from './window.ts';

const DEFAULT_LIMIT = 10;

/** The metrics, then their values record by record. */
export async function showScores({ path, offset, limit = DEFAULT_LIMIT }: ShowSource): Promise<Shown> {
  const { metrics, records = [] } = await portCodecs.scores.read(path).read();
  const window = await windowOf(records, { offset, limit });
  return {
    json: { metrics, records: window },
    text: () => {
      const parts = [metricTable(metrics)];
      if (window.total > 0) parts.push(recordTable(window.items), windowNote(window, 'records'));
      return parts.join('\n\n').trimEnd();
    },
  };
}

function metricTable(metrics: readonly Score[]): string {
  return renderTable({
    head: ['metric', 'value', 'standard error', 'records', ''],
    rows: metrics.map(scoreRow),
    align: ['left', 'right', 'right', 'right', 'left'],
    indent: '',
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

function recordTable(records: readonly ScoredRecord[]): string {
  const names = [...new Set(records.flatMap(({ values }) => Object.keys(values)))];
  return renderTable({
    head: ['record', ...names.map(safeLine)],
    rows: records.map(({ id, values }) => [safeLine(id), ...names.map((name) => cell(values[name]))]),
    align: ['left', ...names.map(() => 'right' as const)],
    indent: '',
  });
}

function cell(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : formatFigure(value);
  return value === undefined ? '' : safeLine(typeof value === 'string' ? value : JSON.stringify(value));
}
