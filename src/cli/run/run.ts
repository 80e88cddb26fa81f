import {
  type Dag,
  isReceived,
  listOf,
  type RemoteProblem,
  type Remotes,
  type RunResult,
  runPipeline,
  type Settings,
  type Store,
} from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { openPipeline, reportMistakes } from '../open-pipeline.ts';
import { settingsOf, storeIn } from '../open-settings.ts';
import { openReporter } from '../reporter/open-reporter.ts';
import { counted, formatDuration } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { chooseExecutors } from './choose-executors.ts';
import type { RunObserver } from './watch.ts';

/** `tuneloom run`: runs what changed and prints the results. */
export async function runCommand(call: CommandCall<RunOptions>): Promise<ExitCode> {
  if (!call.options.watch) return runOnce(call);
  const { watchRuns } = await import('./watch.ts');
  return watchRuns(call, runOnce);
}

/** `unlisted`: the run is another command's own, and no experiment. */
export async function runOnce(
  { words, options, context }: CommandCall<RunOptions>,
  { onRead, onDag, unlisted = false }: Partial<RunObserver> & { readonly unlisted?: boolean } = {},
): Promise<ExitCode> {
  const opened = await openPipeline({
    ...{ words, options, context, names: 'any' },
    ...(onRead && { onRead }),
  });
  if (!opened) return exitCode.badUsage;
  const { dag, names } = opened;
  const { backend, jobs, json, shards } = options;
  const { terminal, stageProcess } = context;
  let settings = await settingsOf({ file: dag.file, options, context });
  if (settings.withheld !== undefined) {
    const { askForSettings } = await import('../approve-settings.ts');
    const remotes = options.remote !== false && context.environment.TUNELOOM_REMOTES !== 'off';
    const executors = settings.executor !== undefined;
    const use = { remotes, executors, yes: options.yes, json: options.json, context };
    if (await askForSettings(settings, use))
      settings = await settingsOf({ file: dag.file, options, context });
  }
  const store = storeIn(settings, context);
  onDag?.(dag, store);
  if (shards !== undefined) checkShards(dag);
  if (backend !== undefined)
    await (await import('./check-backend.ts')).checkBackend(backend, {
      ...{ dag, store, targets: names, force: options.force ?? [] },
    });
  const resources = {
    ...(backend !== undefined && { backend }),
    ...(shards !== undefined && { shards }),
  };
  const { force = [], rerun: everyStage = false, yes = false } = options;
  if (isReceived(dag)) {
    const { mayRun } = await import('../open/consent.ts');
    const call = { dag, store, stages: names, force, everyStage, yes, json, context };
    if (!(await mayRun(call))) return exitCode.success;
  }
  if (options.rerun) {
    const { rerun } = await import('./rerun.ts');
    const { complainOf } = await import('../use-remotes.ts');
    const onProblem = complainOf(context);
    const remotes = await remotesFor(settings, { options, context, onProblem });
    return rerun({ dag, store, stages: names, resources, json, context, remotes });
  }
  const follower = await openFollower(options.track, { dag, context });
  await using executors = chooseExecutors({ settings, dag, stageProcess });
  const reporter = await openReporter({ terminal, json });
  using interruption = Interruption.listen({ terminal, notice: reporter.notice });
  const onProblem = (problem: RemoteProblem): void => reporter.handle({ type: 'remote-problem', ...problem });
  const remotes = await remotesFor(settings, { options, context, onProblem });
  const result = await runPipeline({
    dag,
    store,
    stageProcess,
    targets: names,
    force,
    keepGoing: options.keepGoing ?? false,
    locked: options.locked ?? false,
    unlisted,
    executorFor: executors.executorFor,
    ...(jobs === undefined ? {} : { jobs }),
    resources,
    ...(remotes === undefined ? {} : { remotes }),
    signal: interruption.signal,
    onEvent: (event) => {
      reporter.handle(event);
      follower?.handle(event);
    },
  }).finally(reporter.close);
  if (!result.ok) return reportMistakes(result.error, { terminal, json });
  for (const stage of executors.unheeded)
    terminal.complain(
      `note: the settings send \`${safeLine(stage)}\` to an executor, and this pipeline has no such stage`,
    );
  const sharing = remotes && (await import('./share-results.ts'));
  if (remotes !== undefined) await sharing?.bringScores(result.value, { dag, store, remotes, context, json });
  const isNews = (remotes?.learned ?? 0) > 0;
  await printSummary(result.value, { dag, store, terminal, json, isNews });
  for (const problem of (await follower?.end(store)) ?? [])
    terminal.complain(`warning: ${safeLine(problem)}`);
  await sharing?.pushResults(result.value, { settings, store, context, json, signal: interruption.signal });
  const { journalProblem, lockProblem, outcome } = result.value;
  for (const problem of [journalProblem, lockProblem])
    if (problem !== undefined) terminal.complain(`warning: ${safeLine(problem)}`);
  const code = outcome === 'interrupted' ? interruption.code : codeOf[outcome];
  return reportLockDifferences(result.value, { terminal, json }) ?? code;
}

/** The remotes of the settings, unless there are none or the command line refuses them. */
async function remotesFor(
  settings: Settings,
  {
    options,
    ...use
  }: Pick<CommandCall<RunOptions>, 'options' | 'context'> & {
    readonly onProblem: (problem: RemoteProblem) => void;
  },
): Promise<Remotes | undefined> {
  if (options.remote === false || settings.remotes.size === 0) return undefined;
  return await (await import('../use-remotes.ts')).openRemotes(settings, use);
}

/** What hands the run to the tools that follow it; undefined without any. */
async function openFollower(
  tools: readonly string[] | undefined,
  { dag, context }: Pick<CommandCall<never>, 'context'> & { readonly dag: Dag },
) {
  if (tools === undefined) return undefined;
  const [{ followingTools }, { RunFollower }] = await Promise.all([
    import('../track/tracking-tools.ts'),
    import('../../tracking/index.ts'),
  ]);
  return new RunFollower(dag, followingTools(tools, context));
}

export interface RunOptions extends PipelineOptions {
  readonly jobs?: number;
  readonly force?: readonly string[];
  readonly keepGoing?: boolean;
  readonly locked?: boolean;
  readonly rerun?: boolean;
  /** False with --no-remote. */
  readonly remote?: boolean;
  readonly shards?: number;
  readonly yes?: boolean;
  readonly track?: readonly string[];
  readonly watch?: boolean;
  readonly backend?: 'auto' | 'onnx' | 'webgpu' | 'cuda' | 'tensorflow' | 'cpu';
  readonly executor?: string;
}

/** Refuses a number that no stage would heed. */
function checkShards({ nodes, name }: Dag): void {
  if ([...nodes.values()].some(({ definition }) => definition.shards !== undefined)) return;
  throw new UsageError({
    message: `no stage of ${name} can divide its work, so --shards means nothing`,
    help: 'only `generate` can',
  });
}

const codeOf = {
  succeeded: exitCode.success,
  failed: exitCode.stageFailed,
} as const;

interface Output {
  readonly terminal: Terminal;
  readonly json: boolean | undefined;
}

/** Prints the end of a run. If every stage was reused that is one line, and nothing more is loaded for it. */
async function printSummary(
  result: RunResult,
  {
    dag,
    store,
    terminal,
    json,
    isNews,
  }: Output & {
    readonly dag: Dag;
    readonly store: Store;
    /** Whether a remote gave results that this machine did not know: they are shown, though nothing ran. */
    readonly isNews: boolean;
  },
): Promise<void> {
  const { outcome, stages, milliseconds } = result;
  const isIdle = [...stages.values()].every(({ decision }) => decision === 'reused');
  if (!json && !isNews && outcome === 'succeeded' && dag.points === undefined && isIdle) {
    const reused = counted(stages.size, 'stage');
    terminal.print(`${dag.name}: nothing had to run; ${reused} reused (${formatDuration(milliseconds)})`);
    return;
  }
  const [{ summarizeRun }, { summaryText }] = await Promise.all([
    import('../summary/summarize-run.ts'),
    import('../summary/summary-text.ts'),
  ]);
  const summary = await summarizeRun({ dag, store, result });
  if (json) {
    const { trainings: _, ...rest } = summary;
    terminal.print(JSON.stringify({ type: 'summary', ...rest }));
  } else terminal.print(`\n${summaryText(summary, terminal)}`);
}

/** Names the stages of a run with --locked whose results differ from the lock; undefined if there are none. */
function reportLockDifferences(
  { differFromLock }: RunResult,
  { terminal, json }: Output,
): ExitCode | undefined {
  if (differFromLock.length === 0) return undefined;
  const message = `results differ from the lock: ${listOf(differFromLock, 'and')}`;
  const help =
    'the data and the configuration are those of the lock; another processor, backend or command gives other bytes';
  const error = { code: 'differs-from-lock', message, help, stages: differFromLock };
  if (json) terminal.print(JSON.stringify({ errors: [error] }));
  else terminal.complain(`${terminal.colors.red(`error[${error.code}]`)} ${message}\n  help: ${help}`);
  return exitCode.integrity;
}
