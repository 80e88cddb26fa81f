import { portCodecs } from '../../stages/ports/port-codecs.ts';
import type { HistoryEntry } from '../../training/history-entry.ts';
import { formatCount, formatFigure } from '../terminal/format-number.ts';
import { safeText } from '../terminal/safe-text.ts';
import { renderTable } from '../terminal/table.ts';
import type { Shown, ShowSource } from './shown.ts';
import { windowNote, windowOf } from './window.ts';

const DEFAULT_LIMIT = 40;
const HEAD = ['step', 'epoch', 'loss', 'learning rate', 'gradient norm', 'tokens', 'train', 'validation'];

/** A training's steps and evaluations in one table; samples and the end stand below it. */
export async function showHistory({ path, offset, limit = DEFAULT_LIMIT }: ShowSource): Promise<Shown> {
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
  loss_spike: 'stopped by a spike of the loss',
};

function noteOf(entry: HistoryEntry): readonly string[] {
  if (entry.type === 'step' && entry.spike) {
    return [
      `step ${formatCount(entry.step)} changed nothing: its loss of ${formatFigure(entry.loss)} was a spike`,
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
