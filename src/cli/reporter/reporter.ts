import { relative } from 'node:path';
import stringWidth from 'string-width';
import type { RunEvent, StageReport } from '../../runtime/index.ts';
import { counted, formatCount, formatDuration, formatFigure } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Colors } from '../terminal/terminal.ts';

/** Shows a run in progress. */
export interface Reporter {
  readonly handle: (event: RunEvent) => void;
  /** Shows a message about the run as a whole, such as that it is stopping. */
  readonly notice: (text: string) => void;
  /** Resolves once everything is on the screen and the terminal is free again. */
  readonly close: () => Promise<void>;
}

/** A note with the places of the first records that it is about. */
export function noteText({ message, records = [] }: Extract<StageReport, { type: 'note' }>): string {
  const places = records.flatMap(({ id, place }) => {
    if (place !== undefined) return [`${shortPath(place.path)}:${place.line}`];
    return id === undefined ? [] : [`record ${id}`];
  });
  return places.length === 0 ? message : `${message} (first: ${places.join(', ')})`;
}

/** Relative to the working directory if it is below it. */
function shortPath(path: string): string {
  const below = relative('', path);
  return below.startsWith('..') ? path : below;
}

export type ProgressReport = Extract<StageReport, { type: 'progress' }>;

/** A stage's latest report and the first one of the same count; together they give the pace. */
export interface Progress {
  readonly report: ProgressReport;
  readonly first: { readonly at: number; readonly done: number };
}

/** Adds a report; `at` is in milliseconds. A count that drops (another part, another phase) restarts the pace. */
export function advance(
  before: Progress | undefined,
  { report, at }: { report: ProgressReport; at: number },
): Progress {
  const same = before && before.report.unit === report.unit && before.report.done <= report.done;
  return { report, first: same ? before.first : { at, done: report.done } };
}

/** The remaining time at the average pace so far; undefined while there is no pace. */
export function millisecondsLeft({ report, first }: Progress, now: number): number | undefined {
  const done = report.done - first.done;
  if (report.total === undefined || done <= 0 || now <= first.at) return undefined;
  return ((now - first.at) / done) * Math.max(0, report.total - report.done);
}

/** `step 40/300  ETA 1m 02s  loss 1.234  validation 1.345  5,200 tokens/s  lr 5e-5`: as much of it as fits. */
export function progressText(
  progress: Progress,
  { now, columns = Number.POSITIVE_INFINITY }: { now: number; columns?: number },
): string {
  return fitting(progressParts(progress, now), columns).join('  ');
}

/** With a bar before it, where the count, the time left and two figures have room beside that. */
export function progressLine(
  progress: Progress,
  { now, columns, colors }: { now: number; columns: number; colors: Pick<Colors, 'cyan'> },
): string {
  const parts = progressParts(progress, now);
  const needed = widthOf(parts.slice(0, PARTS_WITH_BAR));
  const width = BAR_WIDTHS.find((each) => needed + each + 1 <= columns) ?? 0;
  const bar = progressBar(progress.report, width);
  if (bar === '') return fitting(parts, columns).join('  ');
  return `${colors.cyan(bar)} ${fitting(parts, columns - width - 1).join('  ')}`;
}

const PARTS_WITH_BAR = 4;
const BAR_WIDTHS = [16, 12, 8];

/** The most important first. */
function progressParts(progress: Progress, now: number): readonly string[] {
  const { done, total, unit, figures = {}, phase } = progress.report;
  const left = millisecondsLeft(progress, now);
  return [
    `${safeLine(unit)} ${formatCount(done)}${total === undefined ? '' : `/${formatCount(total)}`}`,
    ...(phase ? [`${safeLine(phase.name)} ${formatCount(phase.done)}/${formatCount(phase.total)}`] : []),
    ...(left === undefined || left === 0 ? [] : [`ETA ${formatDuration(left)}`]),
    ...Object.entries(figures).map(([name, value]) => figureText(name, value)),
  ];
}

/** The first parts that fit; the first one in any case. */
function fitting(parts: readonly string[], columns: number): readonly string[] {
  const kept = parts.slice(0, 1);
  for (const part of parts.slice(1)) {
    if (widthOf([...kept, part]) > columns) break;
    kept.push(part);
  }
  return kept;
}

const widthOf = (parts: readonly string[]): number => stringWidth(parts.join('  '));

/** A bar of `width` cells; empty if the total is unknown. */
export function progressBar({ done, total }: ProgressReport, width = 16): string {
  if (!total) return '';
  const filled = Math.round(Math.min(1, done / total) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

const RATE = /^(.+)_per_second$/;
/** The names of figures that are usual or too long for a line. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  learning_rate: 'lr',
  validation_loss: 'validation',
  rewards_accuracies: 'accuracy',
  rewards_margins: 'margin',
  validation_rewards_accuracies: 'validation accuracy',
  validation_rewards_margins: 'validation margin',
};

function figureText(name: string, value: number): string {
  const rate = RATE.exec(name)?.[1];
  if (rate) return `${formatFigure(value)} ${safeLine(rate.replaceAll('_', ' '))}/s`;
  const short = SHORT_NAMES[name] ?? name.replace(/^validation_loss\//, 'validation ').replaceAll('_', ' ');
  return `${safeLine(short)} ${formatFigure(value)}`;
}

/** An event about a remote source that the run fetches before its stages start. */
export type SourceEvent = Extract<RunEvent, { readonly source: string }>;

export const isSourceEvent = (event: RunEvent): event is SourceEvent => 'source' in event;

const mebibyte = 2 ** 20;

/** A download's progress in the form of a stage's. */
export const downloadReport = ({
  done,
  total,
}: Extract<SourceEvent, { type: 'source-progress' }>): ProgressReport => ({
  type: 'progress',
  unit: 'MiB',
  done: Math.floor(done / mebibyte),
  ...(total === undefined ? {} : { total: Math.ceil(total / mebibyte) }),
});

/** `the host answers with status 429; asked again in 59.0 s` */
export const waitText = ({
  milliseconds,
  because,
}: Extract<SourceEvent, { type: 'source-waiting' }>): string =>
  `${because}; it is asked again in ${formatDuration(milliseconds)}`;

/** `the remote team: no connection to cache.example.org; check the network` */
export const remoteProblemText = ({
  remote,
  message,
  help,
}: Extract<RunEvent, { type: 'remote-problem' }>): string =>
  safeLine(`the remote ${remote}: ${message}${help === undefined ? '' : `; ${help}`}`);

/** `3 stages reused: load, format, split`: as many names as a line holds. */
export function reusedText(stages: readonly string[], columns: number): string {
  const head = `${counted(stages.length, 'stage')} reused: `;
  return `${head}${fewNames(stages, columns - head.length)}`;
}

/** The first names that fit, and the number of the rest. At least one name. */
export function fewNames(stages: readonly string[], columns: number): string {
  for (let shown = stages.length; ; shown--) {
    const rest = stages.length - shown;
    const text = `${stages.slice(0, shown).join(', ')}${rest === 0 ? '' : ` and ${rest} more`}`;
    if (stringWidth(text) <= columns || shown <= 1) return text;
  }
}
