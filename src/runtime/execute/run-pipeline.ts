import { availableParallelism } from 'node:os';
import { err, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { DagNode, SourceField } from '../graph/dag.ts';
import type { SourceDigests } from '../key/key-material.ts';
import { type Lock, readLock } from '../plan/lock.ts';
import { lockDifferences } from '../plan/lock-differences.ts';
import { PastRuns } from '../plan/past-runs.ts';
import { readModules } from '../plan/read-modules.ts';
import { selectStages, stagesForced } from '../plan/select-stages.ts';
import { digestSources, knownResolutions, remoteSources } from '../plan/source-digests.ts';
import { linkedFolder } from '../store/linked-folder.ts';
import type { Resolutions } from '../store/resolution.ts';
import { newRunId, type RunOutcome } from '../store/run-records.ts';
import { createStore, type Store } from '../store/store.ts';
import { sweepKept, sweepLeases, sweepTemporary } from '../store/sweep.ts';
import { storageFailureOf } from '../store/system-error.ts';
import { acquireSources } from './acquire-sources.ts';
import { sweepAttempts } from './attempt.ts';
import type { RunContext, RunOptions, RunResult } from './run-context.ts';
import { beginJournalIfWritable } from './run-journal.ts';
import { settleLock } from './run-outcomes.ts';
import { allOutcomes, runStages, type StageOutcomes } from './run-stages.ts';
import { SharedProcesses } from './shared-processes.ts';

/**
 * Runs what has to run and reuses the rest. An error is a mistake found before anything ran, or a store that cannot be
 * written; a stage that fails is part of the result.
 */
export async function runPipeline(options: RunOptions): Promise<Result<RunResult, readonly Diagnostic[]>> {
  try {
    const prepared = await prepare(options);
    return prepared.ok ? ok(await run(options, prepared.value)) : prepared;
  } catch (error) {
    const storage = storageFailureOf(error);
    if (storage === undefined) throw error;
    return err([unusableStore(options.store.root, storage)]);
  }
}

/** What a run starts from once nothing is wrong with it. */
interface Prepared {
  readonly nodes: ReadonlyMap<string, DagNode>;
  readonly sources: SourceDigests;
  readonly resolutions: Resolutions;
  readonly lock: Lock | undefined;
}

async function prepare(options: RunOptions): Promise<Result<Prepared, readonly Diagnostic[]>> {
  const selected = selectStages(options.dag, options);
  const nodes = selected.ok ? await readModules(selected.value, options.store) : selected;
  if (!nodes.ok) return nodes;
  const link = linkedFolder(options.store);
  if (link !== undefined) return err([linkedStore(options.store.root, link)]);
  const lock = readLock(options.dag);
  if (!lock.ok) return err([lock.error]);
  const resolutions = await resolutionsOf(options, { nodes: nodes.value, lock: lock.value });
  if (!resolutions.ok) return resolutions;
  const sources = await digestSources(nodes.value.values(), {
    store: options.store,
    resolutions: resolutions.value,
  });
  if (!sources.ok) return sources;
  if (options.locked === true) {
    const dag = { ...options.dag, nodes: new Map([...options.dag.nodes, ...nodes.value]) };
    const differences = lockDifferences({ dag, lock: lock.value, sources: sources.value });
    if (differences.length > 0) return err(differences);
  }
  const known = { sources: sources.value, resolutions: resolutions.value };
  return ok({ nodes: nodes.value, ...known, lock: lock.value });
}

/** What the remote sources are: what is not known is resolved now, unless the run is held to its lock. */
async function resolutionsOf(
  { dag, store, locked = false, signal = never, onEvent: emit = () => {} }: RunOptions,
  { nodes, lock }: Pick<Prepared, 'nodes' | 'lock'>,
): Promise<Result<Resolutions, readonly Diagnostic[]>> {
  const fields = remoteSources(nodes.values());
  const known = knownResolutions(fields, { dag, lock, ...(locked ? {} : { store }) });
  const unknown = fields.filter(({ path }) => !known.has(path));
  if (locked) {
    const refused = lock === undefined ? [] : unknown.map(notInLock);
    return refused.length === 0 ? ok(known) : err(refused);
  }
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

async function run(options: RunOptions, { nodes, sources, resolutions, lock }: Prepared): Promise<RunResult> {
  const { dag, store, targets = [] } = options;
  await createStore(store);
  const startedAt = new Date();
  const journal = await beginJournalIfWritable(store, { run: newRunId(startedAt), startedAt, dag, targets });
  // Also ends what still runs when this function is left by an error.
  const leaving = new AbortController();
  using processes = new SharedProcesses({ store, program: options.stageProcess });
  const context = contextOf(options, {
    sources,
    resolutions,
    processes,
    run: journal.run,
    leaving: leaving.signal,
  });
  const { emit, signal } = context;
  try {
    emit({ type: 'run-started', run: journal.run, pipeline: dag.name, stages: [...nodes.keys()] });
    if (journal.problem === undefined) await sweepStore(store, startedAt);
    const reached = await runStages(nodes, context);
    const stages = allOutcomes(nodes, { reached, interrupted: signal.aborted, emit });
    const outcome = outcomeOf(stages, signal);
    const milliseconds = await journal.end({ outcome, stages });
    const afterwards = options.leaveLock
      ? { unlikeLock: [], lockProblem: undefined }
      : await settleLock(dag, {
          locked: options.locked ?? false,
          previous: lock,
          sources,
          resolutions,
          outcome,
          outcomes: stages,
        });
    await store.statCache.save();
    emit({ type: 'run-finished', run: journal.run, outcome, milliseconds });
    const journalProblem = journal.problem;
    return { run: journal.run, outcome, milliseconds, stages, ...afterwards, journalProblem };
  } finally {
    leaving.abort();
  }
}

/** Clears away what killed processes left, and bounds what is kept for other runs. */
async function sweepStore(store: Store, now: Date): Promise<void> {
  await sweepAttempts(store, now);
  await sweepLeases(store, now);
  await sweepKept(store, now);
  await sweepTemporary(store, now);
}

function contextOf(
  options: RunOptions,
  begun: Pick<Prepared, 'sources' | 'resolutions'> &
    Pick<RunContext, 'run' | 'processes'> & { readonly leaving: AbortSignal },
): RunContext {
  const { dag, store, stageProcess, signal } = options;
  return {
    dag,
    store,
    stageProcess,
    processes: begun.processes,
    sources: begun.sources,
    resolutions: begun.resolutions,
    past: new PastRuns(store),
    forced: stagesForced(options),
    run: begun.run,
    jobs: Math.max(1, options.jobs ?? availableParallelism()),
    keepGoing: options.keepGoing ?? false,
    resources: options.resources ?? {},
    signal: signal === undefined ? begun.leaving : AbortSignal.any([signal, begun.leaving]),
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

const unusableStore = (
  root: string,
  { message, path }: { readonly message: string; readonly path: string },
): Diagnostic => ({
  code: 'unusable-store',
  message: `the store ${root} cannot be used: ${message}${path === '' || path.startsWith(root) ? '' : ` (${path})`}`,
  help: 'give it room and write access, or choose another with --store or TUNELOOM_STORE',
});

const linkedStore = (root: string, link: string): Diagnostic => ({
  code: 'linked-store',
  message: `\`${link}\` of the store ${root} is a link, which tuneloom never makes there: it could lead out of the store`,
  help: 'delete the link; to keep results elsewhere name the whole store with --store or TUNELOOM_STORE',
});
