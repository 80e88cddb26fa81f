import { resolve } from 'node:path';
import { listRuns, type RunRecord, recordedPath, type Store } from '../../runtime/index.ts';
import {
  type AnswerChange,
  type AnswerChanges,
  compareRuns,
  type FieldChange,
  type MetricChange,
  type RunDifference,
  type RunPair,
  type ScoreChange,
  type StageDifference,
} from '../../view/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { StoreOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { valueText } from '../explain/explain.ts';
import { namedFile } from '../open-pipeline.ts';
import { sharedStoreOf } from '../open-shared-store.ts';
import { findRun } from '../runs/find-run.ts';
import { formatCount, formatFigure } from '../terminal/format-number.ts';
import { excerpt, labeledText, renderTable } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { shortLine, wrapText } from '../terminal/wrap-text.ts';

/** `tuneloom diff`: compares two runs. */
export async function diffCommand({ words, options, context }: CommandCall<DiffOptions>): Promise<ExitCode> {
  const { file, names } = namedFile({ words, context, mostNames: 2 });
  const store = await sharedStoreOf({ file, options, context });
  const { workingDirectory } = context;
  const pair = chosenRuns(store, { file, names, workingDirectory });
  const difference = await compareRuns(store, pair);
  const { terminal } = context;
  if (options.json) terminal.print(JSON.stringify(difference));
  else terminal.print(differenceText(difference, { terminal, limit: options.limit }));
  return exitCode.success;
}

interface DiffOptions extends StoreOptions {
  readonly limit: number;
}

function chosenRuns(
  store: Store,
  {
    file,
    names,
    workingDirectory,
  }: {
    readonly file: string | undefined;
    readonly names: readonly string[];
    readonly workingDirectory: string;
  },
): RunPair {
  const [first, second] = names;
  if (first !== undefined) {
    const before = findRun(store, first);
    const after = second === undefined ? latestOf(store, before) : findRun(store, second);
    return { before, after };
  }
  const path = file && recordedPath(store, resolve(workingDirectory, file));
  const runs = [...listRuns(store)].filter(
    (run) => run.outcome === 'succeeded' && (path === undefined || run.file === path),
  );
  // A pipeline that ran once has nothing to be compared with.
  for (const [index, after] of runs.entries()) {
    const before = runs.slice(index + 1).find(({ pipeline }) => pipeline === after.pipeline);
    if (before !== undefined) return { before, after };
  }
  throw new UsageError({
    message: 'there are no two runs that succeeded, to compare them',
    help: `\`tuneloom runs\` lists all in ${store.root}; name two of them`,
  });
}

function latestOf(store: Store, run: RunRecord): RunRecord {
  for (const latest of listRuns(store)) {
    if (latest.pipeline !== run.pipeline) continue;
    if (latest.run === run.run) break;
    return latest;
  }
  throw new UsageError({
    message: `\`${run.run}\` is the last run of ${run.pipeline}: there is none after it`,
    help: 'name two runs',
  });
}

interface Rendering {
  readonly terminal: Terminal;
  /** The number of answers to show of each stage. */
  readonly limit: number;
}

/** Two runs side by side: the changes and their results. */
function differenceText(difference: RunDifference, { terminal, limit }: Rendering): string {
  const { before, after, params, stages, metrics, answers } = difference;
  const runs = [before, after].map((run, index) => ({
    label: index === 0 ? 'before' : 'after',
    text: safeLine(`${run.run} of ${run.pipeline}, ${run.outcome}`),
  }));
  const blocks = [
    labeledText(runs, { terminal, indent: '' }),
    params.length === 0 ? '' : ['params', ...fieldLines(params, { terminal, indent: '  ' })].join('\n'),
    stagesText(stages, terminal),
    metrics.length === 0 ? '' : `metrics\n${metricTable(metrics, terminal)}`,
    ...answers
      .filter(({ changed }) => changed > 0)
      .map((changes) => answersText(changes, { terminal, limit })),
    sameAnswersText(answers, terminal),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

const fieldLines = (
  fields: readonly FieldChange[],
  { terminal, indent }: { readonly terminal: Terminal; readonly indent: string },
): readonly string[] =>
  fields.map(({ field, before, after }) =>
    shortLine(`${indent}${safeLine(field)}: ${valueText(before)} -> ${valueText(after)}`, terminal.columns),
  );

function stagesText(stages: readonly StageDifference[], terminal: Terminal): string {
  const differing = stages.filter(({ change }) => change !== 'same');
  if (differing.length === 0) return 'every stage is the same';
  const lists = [
    { label: 'follow from these', stages: differing.filter(isConsequence) },
    { label: 'the same', stages: stages.filter(({ change }) => change === 'same') },
  ].filter((list) => list.stages.length > 0);
  const lines = lists.map(({ label, stages: listed }) => ({
    label,
    text: listed.map(({ stage }) => safeLine(stage)).join(', '),
  }));
  return [
    'stages',
    ...differing.filter((stage) => !isConsequence(stage)).map((stage) => stageText(stage, terminal)),
    ...(lines.length === 0 ? [] : [labeledText(lines, { terminal })]),
  ].join('\n');
}

/** Whether nothing of a stage changed but what it was given. */
const isConsequence = ({ change, fields }: StageDifference): boolean =>
  change === 'changed' && fields.length > 0 && fields.every(({ field }) => field.startsWith('from.'));

function stageText({ stage, change, fields, other_results }: StageDifference, terminal: Terminal): string {
  const verdicts = {
    added: 'only in the later run',
    removed: 'only in the earlier run',
    unknown: 'its inputs are not on record',
    changed: other_results === false ? 'changed, with the same results' : 'changed',
    same: 'the same',
  } as const;
  const head = `  ${terminal.colors.bold(safeLine(stage))}: ${verdicts[change]}`;
  return [head, ...fieldLines(fields, { terminal, indent: '    ' })].join('\n');
}

const metricTable = (metrics: readonly MetricChange[], { width: columns, colors }: Terminal): string =>
  renderTable({
    head: ['stage', 'metric', 'before', 'after', 'change'],
    rows: metrics.map(({ stage, metric, of, before, after, delta, better }) => [
      safeLine(stage),
      safeLine(of === undefined ? metric : `${metric} ${of}`),
      before === undefined ? '' : formatFigure(before),
      after === undefined ? '' : formatFigure(after),
      delta === undefined
        ? ''
        : delta === 0
          ? 'none'
          : `${delta > 0 ? '+' : ''}${formatFigure(delta)}${verdictOf(better, colors)}`,
    ]),
    align: ['left', 'left', 'right', 'right', 'left'],
    fold: ['cut', 'cut'],
    columns,
  });

const verdictOf = (better: boolean | undefined, { green, red }: Terminal['colors']): string =>
  better === undefined ? '' : better ? ` ${green('better')}` : ` ${red('worse')}`;

function sameAnswersText(answers: readonly AnswerChanges[], { columns }: Terminal): string {
  const same = answers.filter(({ changed }) => changed === 0);
  const names = same.map(({ stage, compared }) => `${safeLine(stage)} (${formatCount(compared)})`);
  return names.length === 0
    ? ''
    : wrapText(`answers that are the same: ${names.join(', ')}`, { columns, hanging: '  ' });
}

function answersText(
  { stage, compared, changed, examples }: AnswerChanges,
  { terminal, limit }: Rendering,
): string {
  const shown = examples.slice(0, limit).map((example) => answerText(example, terminal));
  const which = changed > limit ? `; ${limit} of them, the worst first` : '';
  return [`answers of ${safeLine(stage)}: ${changed} of ${compared} changed${which}`, ...shown].join('\n');
}

function answerText(change: AnswerChange, terminal: Terminal): string {
  const { question, expected, before, after, scores } = change;
  const lines = [
    ...(expected === '' ? [] : [{ label: 'expected', text: excerpt(expected, MOST_CHARACTERS) }]),
    { label: 'before', text: excerpt(before, MOST_CHARACTERS) },
    { label: 'after', text: excerpt(after, MOST_CHARACTERS) },
    ...(scores.length === 0 ? [] : [{ label: 'scores', text: scores.map(scoreText).join(', ') }]),
  ];
  const asked = shortLine(`  ${safeLine(question)}`, terminal.columns);
  return `${asked}\n${labeledText(lines, { terminal, indent: '    ' })}`;
}

const MOST_CHARACTERS = 200;

const scoreText = ({ metric, before, after }: ScoreChange): string =>
  before === after
    ? `${safeLine(metric)} ${formatFigure(after)}`
    : `${safeLine(metric)} ${formatFigure(before)} -> ${formatFigure(after)}`;
