import { resolve } from 'node:path';
import type { Json } from '../../core/index.ts';
import {
  listRuns,
  type RunRecord,
  recordedPath,
  type StageOutcome,
  type Store,
} from '../../runtime/index.ts';
import {
  type Experiment,
  type ExperimentQuery,
  ExperimentReader,
  selectExperiments,
} from '../../view/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { StoreOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { namedFile } from '../open-pipeline.ts';
import { storeOf } from '../open-settings.ts';
import { describeFailure } from '../reporter/describe-failure.ts';
import { formatBytes, formatCount, formatDuration } from '../terminal/format-number.ts';
import { labeledText } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { findRun } from './find-run.ts';
import { runsCsv, runsJson, runsMarkdown } from './runs-export.ts';
import { runsText } from './runs-table.ts';

/** `tuneloom runs`: the table of past experiments, or one run stage by stage. */
export async function runsCommand({ words, options, context }: CommandCall<RunsOptions>): Promise<ExitCode> {
  const { file, names } = namedFile({ words, context, mostNames: 1 });
  const store = await storeOf({ file, options, context });
  const { terminal } = context;
  const [wanted] = names;
  if (wanted !== undefined) {
    if (isTable(options))
      throw new UsageError({
        message: 'one run is shown whole, and has no table',
        help: 'leave out the run, or --where, --sort, --csv and --md',
      });
    const record = findRun(store, wanted);
    terminal.print(options.json ? JSON.stringify(record) : runDetails(record, terminal));
    return exitCode.success;
  }
  const path = file && recordedPath(store, resolve(context.workingDirectory, file));
  const records = [...listRuns(store)].filter((record) => path === undefined || record.file === path);
  const { experiments, total } = await chosenExperiments(store, { records, options });
  if (options.json) {
    const named = new Set(experiments.map(({ run }) => run));
    terminal.print(runsJson({ records: records.filter(({ run }) => named.has(run)), experiments }));
  } else if (options.csv) terminal.write(runsCsv(experiments));
  else if (options.md) terminal.write(runsMarkdown(experiments));
  else if (records.length === 0)
    terminal.print(`no runs yet${path === undefined ? '' : ` of ${safeLine(path)}`} in ${store.root}`);
  else if (experiments.length === 0) terminal.print('no run fits the conditions');
  else terminal.print(runsText(experiments, { terminal, total }));
  return exitCode.success;
}

interface RunsOptions extends StoreOptions, ExperimentQuery {
  readonly limit?: number;
  readonly csv?: boolean;
  readonly md?: boolean;
}

const isTable = ({ where, sort, csv, md }: RunsOptions): boolean =>
  where !== undefined || sort !== undefined || csv === true || md === true;

const ON_A_SCREEN = 10;

/** The experiments that fit, as many as are wanted, and how many fit in all. A table for people is short unless asked otherwise. */
async function chosenExperiments(
  store: Store,
  { records, options }: { readonly records: readonly RunRecord[]; readonly options: RunsOptions },
): Promise<{ readonly experiments: readonly Experiment[]; readonly total: number }> {
  const { where = [], sort, csv, md } = options;
  const limit = options.limit ?? (csv || md ? undefined : ON_A_SCREEN);
  const isPlain = where.length === 0 && sort === undefined;
  const reader = new ExperimentReader(store);
  const all: Experiment[] = [];
  let total = 0;
  for (const record of records) {
    // The newest come first, so that the rest need not be read.
    if (isPlain && limit !== undefined && all.length >= limit) total += record.points?.length || 1;
    else all.push(...(await reader.read(record)));
  }
  const fitting = selectExperiments(all, { where, ...(sort === undefined ? {} : { sort }) });
  return { experiments: fitting.slice(0, limit), total: total + fitting.length };
}

/** One run, stage by stage. */
export function runDetails(record: RunRecord, terminal: Terminal): string {
  const { run, pipeline, file, params, outcome, milliseconds, startedAt, stages } = record;
  const facts = [
    { label: 'run', text: safeLine(run) },
    { label: 'pipeline', text: safeLine(`${pipeline} (${file})`) },
    { label: 'params', text: safeLine(JSON.stringify(params)) },
    { label: 'started', text: safeLine(startedAt) },
    {
      label: 'outcome',
      text: isOver(outcome) ? `${outcome} after ${formatDuration(milliseconds)}` : outcome,
    },
  ];
  const lines = Object.entries(stages).map(([stage, done]) => ({ label: stage, text: outcomeText(done) }));
  const list = lines.length === 0 ? [] : ['', labeledText(lines, { terminal })];
  return [labeledText(facts, { terminal, indent: '' }), ...list].join('\n');
}

/** A model's tokens per second and its process's peak memory. */
function measured({ tokens_per_second: speed, peak_memory: memory }: Readonly<Record<string, Json>>): string {
  const words = [
    ...(typeof speed === 'number' ? [`${formatCount(speed)} tokens/s`] : []),
    ...(typeof memory === 'number' ? [`peak memory ${formatBytes(memory)}`] : []),
  ];
  return words.map((word) => `, ${word}`).join('');
}

function outcomeText(outcome: StageOutcome): string {
  switch (outcome.decision) {
    case 'reused':
      return 'reused';
    case 'ran':
      return `ran in ${formatDuration(outcome.milliseconds)}${measured(outcome.measurements)}: ${safeLine(outcome.reason)}`;
    case 'failed':
      if (outcome.failure.kind === 'interrupted')
        return `stopped after ${formatDuration(outcome.milliseconds)}`;
      return `failed after ${formatDuration(outcome.milliseconds)}: ${describeFailure(outcome.failure).message}`;
    case 'skipped':
      return `skipped: ${safeLine(outcome.because)}`;
    default:
      return outcome satisfies never;
  }
}

/** Whether a run recorded its end; the duration of others is unknown. */
const isOver = (outcome: RunRecord['outcome']): boolean => outcome !== 'running' && outcome !== 'killed';
