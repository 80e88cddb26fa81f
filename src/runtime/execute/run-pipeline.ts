import { err, ok, type Result } from '../../core/index.ts';
import { type Diagnostic, quoted } from '../diagnostic/diagnostic.ts';
import type { DagNode, SourceField } from '../graph/dag.ts';
import type { SourceDigests } from '../key/key-material.ts';
import type { PlanningContext } from '../plan/decide.ts';
import { inspectSources } from '../plan/inspect-sources.ts';
import { type Lock, lockAfter, lockedDigests, readLock, writeLock } from '../plan/lock.ts';
import { differingStages, lockDifferences } from '../plan/lock-differences.ts';
import { PastRuns } from '../plan/past-runs.ts';
import { readModules } from '../plan/read-modules.ts';
import { selectStages, stagesForced } from '../plan/select-stages.ts';
import { digestSources, knownResolutions, remoteSources } from '../plan/source-digests.ts';
import type { RunEvent } from '../stage/run-event.ts';
import { readRecord } from '../store/action-records.ts';
import { pathsInUse } from '../store/in-use.ts';
import type { Resolutions } from '../store/resolution.ts';
import { newRunId, type RunOutcome } from '../store/run-records.ts';
import { createStore, type Store } from '../store/store.ts';
import { linkedStore } from '../store/store-layout.ts';
import { sweepKept, sweepLeases, sweepTemporary } from '../store/sweep.ts';
import { storageFailureOf } from '../store/system-error.ts';
import { diskClock } from '../store/temporary.ts';
import { acquireSources } from './acquire-sources.ts';
import { sweepAttempts } from './attempt.ts';
import type { Executor } from './executor/executor.ts';
import { openLocalExecutor } from './executor/local-executor.ts';
import { LiveEvents, sweepLiveEvents } from './live-events.ts';
import type { RunContext, RunOptions, RunResult } from './run-context.ts';
import { beginJournalIfWritable } from './run-journal.ts';
import { runStages } from './run-stages.ts';
import type { StageOutcomes } from './skipped-stages.ts';

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

/** What a run starts from, once its pipeline has no mistakes. */
interface PreparedRun {
  readonly nodes: ReadonlyMap<string, DagNode>;
  readonly sources: SourceDigests;
  readonly resolutions: Resolutions;
  readonly lock: Lock | undefined;
}

/** Selects the stages, digests everything that they read and holds it to the lock with `locked`. */
async function prepareRun(options: RunOptions): Promise<Result<PreparedRun, readonly Diagnostic[]>> {
  const { dag, store, locked } = options;
  const selected = selectStages(dag, options);
  const read = selected.ok ? await readModules(selected.value, store) : selected;
  if (!read.ok) return read;
  const linked = linkedStore(store);
  if (linked !== undefined) return err([linked]);
  const readLocked = readLock(dag);
  if (!readLocked.ok) return err([readLocked.error]);
  const [nodes, lock] = [read.value, readLocked.value];
  const resolved = await resolutionsOf(options, { nodes, lock });
  if (!resolved.ok) return resolved;
  const resolutions = resolved.value;
  const digested = await digestSources(nodes.values(), {
    store,
    resolutions,
    locked: lockedDigests(dag.file),
  });
  if (!digested.ok) return digested;
  const sources = digested.value;
  if (locked === true) {
    const whole = { ...dag, nodes: new Map([...dag.nodes, ...nodes]) };
    const differences = lockDifferences({ dag: whole, lock, sources });
    if (differences.length > 0) return err(differences);
  }
  const context = { dag, store, sources, past: new PastRuns(store), forced: stagesForced(options) };
  const untrusted = await learn(options, { nodes, lock, context });
  if (untrusted.length > 0) return err(untrusted);
  const problems = await inspectSources(nodes.values(), context);
  return problems.length > 0 ? err(problems) : ok({ nodes, sources, resolutions, lock });
}

/** Asks remotes for the records that the store lacks; with `locked`, those that do not count are refused. */
async function learn(
  { remotes, locked, store, signal = never }: RunOptions,
  { nodes, lock, context }: Pick<PreparedRun, 'nodes' | 'lock'> & { readonly context: PlanningContext },
): Promise<readonly Diagnostic[]> {
  if (remotes === undefined) return [];
  const { learnRecords } = await import('../plan/learn-records.ts');
  await learnRecords({ nodes, context, lock, remotes, signal });
  if (locked !== true) return [];
  return remotes.refused
    .filter(({ key }) => readRecord(store, key).kind !== 'usable')
    .map(({ remote, key, why }) => ({
      code: 'untrusted-result',
      message: `the result ${key} of the remote ${quoted(remote)} does not count (${why}), and --locked refuses it`,
      help:
        why === 'invalid' || why === 'forged'
          ? 'it is damaged or forged; run without --locked to compute it here'
          : 'name its key under `trust.keys` in the settings, or run without --locked to compute it here',
    }));
}

/** Resolves the remote sources that are not known yet, unless the run is held to its lock. */
async function resolutionsOf(
  { dag, store, locked = false, signal = never, onEvent: emit = () => {} }: RunOptions,
  { nodes, lock }: Pick<PreparedRun, 'nodes' | 'lock'>,
): Promise<Result<Resolutions, readonly Diagnostic[]>> {
  const fields = remoteSources(nodes.values());
  const known = knownResolutions(fields, { dag, lock, ...(locked ? {} : { store }) });
  const unknown = fields.filter(({ path }) => !known.has(path));
  if (unknown.length === 0 || (locked && lock === undefined)) return ok(known);
  if (locked) return err(unknown.map(notInLock));
  const acquired = await acquireSources(unknown, { store, signal, emit });
  return acquired.ok ? ok(new Map([...known, ...acquired.value])) : acquired;
}

const never = new AbortController().signal;

const notInLock = ({ path, span }: SourceField): Diagnostic => ({
  code: 'differs-from-lock',
  message: `\`${path}\` is not in the lock, and --locked resolves nothing new`,
  span,
  help: 'run without --locked, or `tuneloom update`, to lock it',
});

async function run(options: RunOptions, prepared: PreparedRun): Promise<RunResult> {
  const { dag, store, targets = [], unlisted = false } = options;
  const { nodes } = prepared;
  await createStore(store);
  const startedAt = new Date();
  const begun = { run: newRunId(startedAt), startedAt, dag, targets, unlisted };
  const journal = await beginJournalIfWritable(store, begun);
  // Also stops the running stages when an error ends this function.
  const leaving = new AbortController();
  await using local = openLocalExecutor(options);
  using live = new LiveEvents(store, journal.run);
  const onEvent = (event: RunEvent): void => {
    if (journal.problem === undefined) live.add(event);
    options.onEvent?.(event);
  };
  const running = { ...options, onEvent };
  const context = contextOf(running, prepared, { local, run: journal.run, leaving: leaving.signal });
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
  const clock = diskClock(store.root);
  await sweepAttempts(store, now);
  await sweepLeases(store, clock);
  await sweepKept(store, { clock, inUse: pathsInUse(store) });
  await sweepTemporary(store, clock);
  await sweepLiveEvents(store, now);
}

function contextOf(
  options: RunOptions,
  { sources, resolutions }: PreparedRun,
  {
    run,
    local,
    leaving,
  }: Pick<RunContext, 'run'> & { readonly local: Executor; readonly leaving: AbortSignal },
): RunContext {
  const { dag, store, stageProcess, signal } = options;
  return {
    dag,
    store,
    stageProcess,
    executorFor: async (node) => (await options.executorFor?.(node)) ?? local,
    sources,
    resolutions,
    remotes: options.remotes,
    unreachable: new Set(),
    past: new PastRuns(store),
    forced: stagesForced(options),
    run,
    jobs: Math.max(1, options.jobs ?? Number.POSITIVE_INFINITY),
    keepGoing: options.keepGoing ?? false,
    resources: options.resources ?? {},
    signal: signal === undefined ? leaving : AbortSignal.any([signal, leaving]),
    graceMilliseconds: options.graceMilliseconds ?? 10_000,
    emit: quietly(options.onEvent ?? (() => {})),
  };
}

/** What cannot be shown must not end the run. */
const quietly =
  (onEvent: (event: RunEvent) => void) =>
  (event: RunEvent): void => {
    try {
      onEvent(event);
    } catch {
      // The record of the run has it.
    }
  };

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
): Promise<Pick<RunResult, 'differFromLock' | 'lockProblem'>> {
  const untouched = { differFromLock: [], lockProblem: undefined };
  if (leaveLock) return untouched;
  if (locked) return { ...untouched, differFromLock: differingStages(previous, outcomes) };
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
