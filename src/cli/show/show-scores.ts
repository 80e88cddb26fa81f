import type { Score } from '../../metrics/index.ts';
import { portCodecs } from '../../stages/index.ts';
import type { HistoryEntry } from '../../training/index.ts';
import { scoreName } from '../../view/index.ts';
import { formatCount, formatFigure } from '../terminal/format-number.ts';
import { renderTable } from '../terminal/layout.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import { type Shown, type ShowSource, windowNote, windowOf } from './shown.ts';

const SCORES_LIMIT = 10;

/** The metrics, then their values record by record. */
export async function showScores({ path, offset, limit = SCORES_LIMIT }: ShowSource): Promise<Shown> {
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

const HISTORY_LIMIT = 40;
const HEAD = ['step', 'epoch', 'loss', 'learning rate', 'gradient norm', 'tokens', 'train', 'validation'];

/** A training's steps and evaluations in one table, with samples and the end below. */
export async function showHistory({ path, offset, limit = HISTORY_LIMIT }: ShowSource): Promise<Shown> {
  const entries: HistoryEntry[] = [];
  for await (const entry of portCodecs.history.read(path)) entries.push(entry);
  const window = await windowOf(entries, { offset, limit });
  return {
    json: window,
    text: () =>
      [
        renderTable({ head: HEAD, rows: rowsOf(window.items), align: HEAD.map(() => 'right'), indent: '' }),
        ...window.items.flatMap(noteOf),
        windowNote(window, 'entries'),
      ]
        .filter((part) => part !== '')
        .join('\n\n'),
  };
}

function rowsOf(entries: readonly HistoryEntry[]): readonly (readonly string[])[] {
  return entries.flatMap((entry) => {
    const place = [formatCount(entry.step), String(entry.epoch)];
    if (entry.type === 'step') {
      const { loss, learning_rate, gradient_norm, tokens } = entry;
      return [
        [...place, ...[loss, learning_rate, gradient_norm].map(formatFigure), formatCount(tokens), '', ''],
      ];
    }
    if (entry.type !== 'evaluation') return [];
    const { train_loss, validation_loss } = entry;
    const validation = validation_loss === undefined ? '' : formatFigure(validation_loss);
    return [[...place, '', '', '', '', formatFigure(train_loss), validation]];
  });
}

const endings: Readonly<Record<Extract<HistoryEntry, { type: 'end' }>['reason'], string>> = {
  completed: 'completed',
  early_stop: 'stopped early',
  loss_spike: 'stopped by a loss spike',
};

function noteOf(entry: HistoryEntry): readonly string[] {
  if (entry.type === 'step' && entry.spike) {
    return [
      `step ${formatCount(entry.step)} did not update the model: its loss of ${formatFigure(entry.loss)} is a spike`,
    ];
  }
  if (entry.type === 'sample') {
    return [
      `sample after step ${formatCount(entry.step)}: ${safeText(entry.response).trim() || '(nothing)'}`,
    ];
  }
  if (entry.type !== 'end') return [];
  const best = entry.best_step === undefined ? '' : `; best at step ${formatCount(entry.best_step)}`;
  return [`${endings[entry.reason]} at step ${formatCount(entry.step)}${best}`];
}
