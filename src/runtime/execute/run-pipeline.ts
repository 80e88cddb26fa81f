import { availableParallelism } from 'node:os';
import { err, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { lockAfter, writeLock } from '../plan/lock.ts';
import { stagesUnlike } from '../plan/lock-differences.ts';
import { PastRuns } from '../plan/past-runs.ts';
import { stagesForced } from '../plan/select-stages.ts';
import { newRunId, type RunOutcome } from '../store/run-records.ts';
import { createStore, type Store } from '../store/store.ts';
import { sweepKept, sweepLeases, sweepTemporary } from '../store/sweep.ts';
import { storageFailureOf } from '../store/system-error.ts';
import { sweepAttempts } from './attempt.ts';
import { type PreparedRun, prepareRun } from './prepare-run.ts';
import type { RunContext, RunOptions, RunResult } from './run-context.ts';
import { beginJournalIfWritable } from './run-journal.ts';
import { runStages, type StageOutcomes } from './run-stages.ts';
import { StageProcesses } from './stage-process.ts';

/**
 * Runs the stages that have to run and reuses the rest. An error is a mistake found before anything ran, or a store that
 * cannot be written; a stage that fails is part of the result.
 */
export async function runPipeline(options: RunOptions): Promise<Result<RunResult, readonly Diagnostic[]>> {
  try {
    const prepared = await prepareRun(options);
    return prepared.ok ? ok(await run(options, prepared.value)) : prepared;
  } catch (error) {
    const storage = storageFailureOf(error);
    if (storage === undefined) throw error;
    return err([unusableStore(options.store.root, storage)]);
  }
}

async function run(options: RunOptions, prepared: PreparedRun): Promise<RunResult> {
  const { dag, store, targets = [] } = options;
  const { nodes } = prepared;
  await createStore(store);
  const startedAt = new Date();
  const journal = await beginJournalIfWritable(store, { run: newRunId(startedAt), startedAt, dag, targets });
  // Also stops the running stages when an error ends this function.
  const leaving = new AbortController();
  using processes = new StageProcesses({ store, program: options.stageProcess });
  const context = contextOf(options, prepared, { processes, run: journal.run, leaving: leaving.signal });
  const { emit, signal } = context;
  try {
    emit({ type: 'run-started', run: journal.run, pipeline: dag.name, stages: [...nodes.keys()] });
    if (journal.problem === undefined) await sweepStore(store, startedAt);
    const stages = await runStages(nodes, context);
    const outcome = outcomeOf(stages, signal);
    const milliseconds = await journal.end({ outcome, stages });
    const afterwards = await settleLock(options, prepared, { outcome, stages });
    await store.statCache.save();
    emit({ type: 'run-finished', run: journal.run, outcome, milliseconds });
    const journalProblem = journal.problem;
    return { run: journal.run, outcome, milliseconds, stages, ...afterwards, journalProblem };
  } finally {
    leaving.abort();
  }
}

/** Removes what killed processes left, and bounds what is kept for other runs. */
async function sweepStore(store: Store, now: Date): Promise<void> {
  await sweepAttempts(store, now);
  await sweepLeases(store, now);
  await sweepKept(store, now);
  await sweepTemporary(store, now);
}

function contextOf(
  options: RunOptions,
  { sources, resolutions }: PreparedRun,
  { run, processes, leaving }: Pick<RunContext, 'run' | 'processes'> & { readonly leaving: AbortSignal },
): RunContext {
  const { dag, store, stageProcess, signal } = options;
  return {
    dag,
    store,
    stageProcess,
    processes,
    sources,
    resolutions,
    past: new PastRuns(store),
    forced: stagesForced(options),
    run,
    jobs: Math.max(1, options.jobs ?? availableParallelism()),
    keepGoing: options.keepGoing ?? false,
    resources: options.resources ?? {},
    signal: signal === undefined ? leaving : AbortSignal.any([signal, leaving]),
    graceMilliseconds: options.graceMilliseconds ?? 10_000,
    emit: options.onEvent ?? (() => {}),
  };
}

function outcomeOf(stages: StageOutcomes, signal: AbortSignal): RunOutcome {
  const unfinished = [...stages.values()].some(
    ({ decision }) => decision === 'failed' || decision === 'skipped',
  );
  if (!unfinished) return 'succeeded';
  return signal.aborted ? 'interrupted' : 'failed';
}

/** With `locked`, compares the results with the lock; otherwise writes the lock if the run succeeded. */
async function settleLock(
  { dag, locked, leaveLock }: RunOptions,
  { sources, resolutions, lock: previous }: PreparedRun,
  { outcome, stages: outcomes }: { readonly outcome: RunOutcome; readonly stages: StageOutcomes },
): Promise<Pick<RunResult, 'unlikeLock' | 'lockProblem'>> {
  const untouched = { unlikeLock: [], lockProblem: undefined };
  if (leaveLock) return untouched;
  if (locked) return { ...untouched, unlikeLock: stagesUnlike(previous, outcomes) };
  if (outcome !== 'succeeded') return untouched;
  const lock = lockAfter({ dag, previous, sources, resolutions, outcomes });
  return { ...untouched, lockProblem: await writeLock(dag, { lock, previous }) };
}

const unusableStore = (
  root: string,
  { message, path }: { readonly message: string; readonly path: string },
): Diagnostic => ({
  code: 'unusable-store',
  message: `the store ${root} cannot be used: ${message}${path === '' || path.startsWith(root) ? '' : ` (${path})`}`,
  help: 'give it room and write access, or choose another with --store or TUNELOOM_STORE',
});
