import { portCodecs, readAll } from '../../stages/index.ts';
import { figuresIn, type HistoryEntry, isPreferenceMeasure } from '../../training/index.ts';
import { curvesOf } from '../../view/index.ts';
import { trainingText } from '../summary/trainings.ts';
import { formatCount, formatFigure } from '../terminal/format-number.ts';
import { safeText } from '../terminal/safe-text.ts';
import { fitTable } from '../terminal/table.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import { type Shown, type ShowSource, windowNote, windowOf } from './shown.ts';

/** The losses of a training as a chart and a short table; with a limit or an offset, its entries one by one. */
export async function showHistory({ path, offset, limit, keep }: ShowSource): Promise<Shown> {
  const entries = await readAll(portCodecs.history.read(path));
  const isListed = limit !== undefined || offset > 0;
  const window = await windowOf(entries, { offset, limit: limit ?? ENTRIES });
  const curves = curvesOf(entries, keep === 'best' ? 'best' : 'last');
  return {
    json: window,
    text: (terminal) => {
      const { columns } = terminal;
      const chart = isListed ? '' : trainingText({ stage: '', curves }, terminal);
      const shown = isListed ? window.items : fewEntries(entries);
      const steps = entries.filter(({ type }) => type === 'step').length;
      const note = isListed
        ? windowNote(window, 'entries')
        : `${formatCount(steps)} steps; --limit and --offset list them one by one, and --csv all of them`;
      const notes = (isListed ? shown : entries).flatMap(noteOf);
      return [
        chart,
        entryTable(shown, columns),
        ...[...fewNotes(notes), note].map((text) => wrapText(text, { columns })),
      ]
        .filter((part) => part !== '')
        .join('\n\n');
    },
    csv: isListed ? csvOf(window.items) : csvOf(entries),
  };
}

const ENTRIES = 40;
const FEW = 8;

/** A few of the evaluations and of the scores of answers; without evaluations a few of the steps. */
function fewEntries(entries: readonly HistoryEntry[]): readonly HistoryEntry[] {
  const few = (wanted: HistoryEntry['type']) => evenly(entries.filter(({ type }) => type === wanted));
  const evaluations = [...few('evaluation'), ...few('generation')];
  return evaluations.length > 0 ? evaluations.sort((a, b) => a.step - b.step) : few('step');
}

/** A few of the entries, evenly spaced, with the first and the last. */
function evenly(all: readonly HistoryEntry[]): readonly HistoryEntry[] {
  if (all.length <= FEW) return all;
  return Array.from(
    { length: FEW },
    (_, index) => all[Math.round((index * (all.length - 1)) / (FEW - 1))],
  ).filter((entry) => entry !== undefined);
}

/** The first of many notes, and the last, which is the training's end. */
function fewNotes(notes: readonly string[]): readonly string[] {
  const rest = notes.length - FEW;
  return rest <= 1
    ? notes
    : [...notes.slice(0, FEW - 1), `and ${formatCount(rest)} more`, ...notes.slice(-1)];
}

function entryTable(entries: readonly HistoryEntry[], columns: number): string {
  // A table has no room for all figures of preferences.
  const measures = [...new Set(entries.flatMap(measuresOf))].filter(
    (name) => isPreferenceMeasure(name) || !/_(rewards|logps|log_odds|nll|kl)/.test(name),
  );
  const head = [...HEAD, ...measures.map((name) => name.replace(/_loss|^validation_rewards_/, ''))];
  const rows = mergedRows(rowsOf(entries, measures));
  // A column without a value says nothing.
  const filled = head.map((_, at) => at).filter((at) => rows.some((row) => row[at] !== ''));
  return fitTable({
    head: filled.map((at) => head[at] ?? ''),
    rows: rows.map((row) => filled.map((at) => row[at] ?? '')),
    align: filled.map(() => 'right'),
    importance: filled.map((at) => IMPORTANCE[at]),
    ...{ columns, indent: '' },
  }).text;
}

/** Evaluations after the same step share a row. */
function mergedRows(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const merged: (readonly string[])[] = [];
  for (const row of rows) {
    const last = merged.at(-1);
    const isFree = last?.every((cell, at) => at < 2 || cell === '' || row[at] === '') === true;
    if (last?.[0] === row[0] && isFree)
      merged[merged.length - 1] = row.map((cell, at) => cell || (last?.[at] ?? ''));
    else merged.push(row);
  }
  return merged;
}

const HEAD = ['step', 'epoch', 'loss', 'learning rate', 'gradient norm', 'tokens', 'training', 'validation'];
/** The tokens give way first, then the gradient norm and the learning rate. */
const IMPORTANCE = [undefined, 4, undefined, 3, 2, 1, undefined, undefined];

/** A line for each step and each evaluation, which measure different things. */
function csvOf(entries: readonly HistoryEntry[]): Shown['csv'] & object {
  const measures = Object.fromEntries(entries.flatMap(measuresOf).map((name) => [name, '']));
  return entries.flatMap((entry): Readonly<Record<string, unknown>>[] => {
    if (entry.type !== 'step' && entry.type !== 'evaluation' && entry.type !== 'generation') return [];
    if (entry.type === 'step') {
      const { figures: _, ...rest } = entry;
      return [{ ...CSV, ...measures, ...rest, ...figuresIn(entry) }];
    }
    const { type, step, epoch } = entry;
    return [{ ...CSV, ...measures, type, step, epoch, ...figuresIn(entry) }];
  });
}

/** The names of what an entry measures besides what every history has. */
const measuresOf = (entry: HistoryEntry): readonly string[] =>
  entry.type === 'evaluation' || entry.type === 'generation' || entry.type === 'step'
    ? Object.keys(figuresIn(entry)).filter((name) => !Object.hasOwn(CSV, name))
    : [];

/** In this order, whatever comes first. */
const CSV = {
  type: '',
  step: '',
  epoch: '',
  loss: '',
  train_loss: '',
  validation_loss: '',
  learning_rate: '',
  gradient_norm: '',
  tokens: '',
};

function rowsOf(
  entries: readonly HistoryEntry[],
  measures: readonly string[],
): readonly (readonly string[])[] {
  return entries.flatMap((entry) => {
    const figures = figuresIn(entry);
    const measured = measures.map((name) => {
      const value = figures[name];
      return value === undefined ? '' : formatFigure(value);
    });
    const place = [formatCount(entry.step), String(entry.epoch)];
    if (entry.type === 'step') {
      const { loss, learning_rate, gradient_norm, tokens } = entry;
      return [
        [
          ...place,
          ...[formatFigure(loss), formatFigure(learning_rate)],
          gradient_norm === undefined ? '' : formatFigure(gradient_norm),
          ...[formatCount(tokens), '', ''],
          ...measured,
        ],
      ];
    }
    if (entry.type === 'generation') return [[...place, '', '', '', '', '', '', ...measured]];
    if (entry.type !== 'evaluation') return [];
    const { train_loss, validation_loss } = entry;
    const validation = validation_loss === undefined ? '' : formatFigure(validation_loss);
    return [[...place, '', '', '', '', formatFigure(train_loss), validation, ...measured]];
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
  if (entry.type === 'step' && entry.overflow) {
    return [
      `step ${formatCount(entry.step)} did not update the model: its gradients overflow in fp16, with a loss scale of ${formatCount(entry.loss_scale ?? 1)}`,
    ];
  }
  if (entry.type === 'sample') {
    return [
      `sample after step ${formatCount(entry.step)}: ${safeText(entry.response).trim() || '(nothing)'}`,
    ];
  }
  if (entry.type !== 'end') return [];
  const by = entry.best_by === undefined ? '' : ` by ${entry.best_by}`;
  const best = entry.best_step === undefined ? '' : `; best${by} at step ${formatCount(entry.best_step)}`;
  return [`${endings[entry.reason]} at step ${formatCount(entry.step)}${best}`];
}
