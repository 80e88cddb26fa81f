import { listRuns, type RunRecord, type Store } from '../../runtime/index.ts';
import {
  type AnswerChange,
  type AnswerChanges,
  compareRuns,
  type FieldChange,
  type MetricChange,
  type RunDifference,
  type RunPair,
  type StageDifference,
} from '../../view/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { StoreOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { valueText } from '../explain/explain.ts';
import { namedFile } from '../open-pipeline.ts';
import { storeOf } from '../open-settings.ts';
import { findRun } from '../runs/find-run.ts';
import { formatFigure } from '../terminal/format-number.ts';
import { excerpt, labeledText, renderTable } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { shortLine } from '../terminal/wrap-text.ts';

/** `tuneloom diff`: compares two runs. */
export async function diffCommand({ words, options, context }: CommandCall<DiffOptions>): Promise<ExitCode> {
  const { file, names } = namedFile({ words, context, mostNames: 2 });
  const store = await storeOf({ file, options, context });
  const pair = chosenRuns(store, { file, names });
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
  { file, names }: { readonly file: string | undefined; readonly names: readonly string[] },
): RunPair {
  const [first, second] = names;
  if (first !== undefined) {
    const before = findRun(store, first);
    const after = second === undefined ? latestOf(store, before) : findRun(store, second);
    return { before, after };
  }
  const runs = [...listRuns(store)];
  const after = runs.find((run) => file === undefined || isOfFile(run, file));
  const before = runs
    .slice((after === undefined ? -1 : runs.indexOf(after)) + 1)
    .find(({ pipeline }) => pipeline === after?.pipeline);
  if (after && before) return { before, after };
  throw new UsageError({
    message: 'there are no two runs to compare',
    help: `\`tuneloom runs\` lists those in ${store.root}`,
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

/** Compares base names: a record's path is relative to the store's parent, the command line's to the working directory. */
const isOfFile = (run: RunRecord, file: string): boolean => {
  const [recorded, asked] = [run.file, file].map((path) => path.split(/[/\\]/).at(-1));
  return recorded === asked;
};

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
    metrics.length === 0 ? '' : `metrics\n${metricTable(metrics)}`,
    ...answers.map((changes) => answersText(changes, { terminal, limit })),
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
  const lines = stages.filter(({ change }) => change !== 'same').map((stage) => stageText(stage, terminal));
  const same = stages.filter(({ change }) => change === 'same').map(({ stage }) => stage);
  if (lines.length === 0) return 'every stage is the same';
  const rest = same.length === 0 ? [] : [shortLine(`  the same: ${same.join(', ')}`, terminal.columns)];
  return ['stages', ...lines, ...rest].join('\n');
}

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

const metricTable = (metrics: readonly MetricChange[]): string =>
  renderTable({
    head: ['stage', 'metric', 'before', 'after', 'change'],
    rows: metrics.map(({ stage, metric, of, before, after, delta, better }) => [
      safeLine(stage),
      safeLine(of === undefined ? metric : `${metric} ${of}`),
      before === undefined ? '' : formatFigure(before),
      after === undefined ? '' : formatFigure(after),
      delta === undefined ? '' : `${delta > 0 ? '+' : ''}${formatFigure(delta)}${verdictOf(better)}`,
    ]),
    align: ['left', 'left', 'right', 'right', 'left'],
  });

const verdictOf = (better: boolean | undefined): string =>
  better === undefined ? '' : better ? ' better' : ' worse';

function answersText(
  { stage, compared, changed, examples }: AnswerChanges,
  { terminal, limit }: Rendering,
): string {
  const shown = examples.slice(0, limit).map((example) => answerText(example, terminal));
  const which = changed > limit ? `; ${limit} of them, the worst first` : '';
  return [`answers of ${safeLine(stage)}: ${changed} of ${compared} changed${which}`, ...shown].join('\n');
}

function answerText(change: AnswerChange, terminal: Terminal): string {
  const { question, expected, before, after, score_before, score_after } = change;
  const lines = [
    ...(expected === '' ? [] : [{ label: 'expected', text: excerpt(expected, MOST_CHARACTERS) }]),
    { label: 'before', text: scored(before, score_before) },
    { label: 'after', text: scored(after, score_after) },
  ];
  const asked = shortLine(`  ${safeLine(question)}`, terminal.columns);
  return `${asked}\n${labeledText(lines, { terminal, indent: '    ' })}`;
}

const MOST_CHARACTERS = 200;

const scored = (answer: string, score: number | undefined): string => {
  const figure = score === undefined ? '' : `  (${Number.isInteger(score) ? score : formatFigure(score)})`;
  return `${excerpt(answer, MOST_CHARACTERS)}${figure}`;
};
