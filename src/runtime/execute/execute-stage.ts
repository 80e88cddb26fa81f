import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { err, ok, type Result } from '../../core/index.ts';
import type { DagNode } from '../graph/dag.ts';
import { describeRun } from '../plan/describe-reason.ts';
import type { Failure } from '../stage/run-event.ts';
import type { StageAction } from '../stage/stage-action.ts';
import type { StageNote, StageReport } from '../stage/stage-definition.ts';
import type { ActionRecord } from '../store/action-records.ts';
import { GivenContents } from '../store/given-contents.ts';
import type { StageOutcome } from '../store/run-records.ts';
import { attemptFiles } from '../store/store-layout.ts';
import { atStore, storageFailureOf } from '../store/system-error.ts';
import { discardAttempt, openAttempt, releaseAttempt } from './attempt.ts';
import { bundleCode } from './bundle-code.ts';
import { commitResult, ingestOutputs } from './commit-result.ts';
import { dispatchAction } from './dispatch-action.ts';
import { type LaidOutSources, layOutSources, locateNote, locateRecords } from './lay-out-sources.ts';
import { openKeptFolders, prepareAction, withAddresses } from './prepare-action.ts';
import { failureOf, isUserError } from './run-action.ts';
import { millisecondsSince, type RunContext, type StageTask, type Start, startNow } from './run-context.ts';
import { type WatchedSources, watchSources } from './watch-sources.ts';

/** Runs a stage, with its retries, and commits its outputs. */
export async function executeStage(task: StageTask, context: RunContext): Promise<StageOutcome> {
  const { node, decision } = task;
  const { key } = decision;
  const uses = node.definition.name;
  const reason = describeRun(decision);
  const started = startNow();
  for (let number = 1; ; number += 1) {
    context.emit({ type: 'stage-started', stage: node.id, key, reason, attempt: number });
    const end = await attempt({ ...task, number, started }, context);
    const milliseconds = millisecondsSince(started);
    if (end.ok) {
      const { outputs, measurements } = end.value;
      context.emit({ type: 'stage-finished', stage: node.id, key, milliseconds, measurements });
      return { decision: 'ran', uses, key, reason, outputs, milliseconds, attempts: number, measurements };
    }
    if (!mayRetry(end.error.failure, { number, node, context })) {
      const failure = await locateRecords(end.error.failure, { node, context });
      const failed = { ...end.error, failure };
      context.emit({ type: 'stage-failed', stage: node.id, ...failed });
      return { decision: 'failed', uses, key, reason, milliseconds, attempts: number, ...failed };
    }
    context.emit({ type: 'stage-retried', stage: node.id, failure: end.error.failure, attempt: number });
    await sleep(Math.min(500 * 2 ** (number - 1), 30_000), undefined, { signal: context.signal }).catch(
      () => {},
    );
  }
}

function mayRetry(
  failure: Failure,
  at: { readonly number: number; readonly node: DagNode; readonly context: RunContext },
): boolean {
  if (['interrupted', 'source-changed', 'input-changed'].includes(failure.kind)) return false;
  return at.number <= at.node.retries && !at.context.signal.aborted;
}

/** The first attempt has the number 1. */
interface StageAttempt extends StageTask {
  readonly number: number;
  /** When the first attempt started. */
  readonly started: Start;
}

interface AttemptFailure {
  readonly failure: Failure;
  /** Absolute; absent if the stage logged nothing. */
  readonly logPath?: string;
}

/**
 * Runs a stage once and commits its outputs. Its folder is removed only once the record is written, so that a stage that
 * can resume can do so until then. A failed attempt leaves its resume state and its log, nothing else.
 */
async function attempt(
  stage: StageAttempt,
  context: RunContext,
): Promise<Result<ActionRecord, AttemptFailure>> {
  let folder: string | undefined;
  try {
    const { decision, number } = stage;
    folder = await openAttempt(context.store, { key: decision.key, run: context.run, number });
    const result = await runIn(folder, stage, context);
    if (result.ok) await discardAttempt(folder);
    return result.ok ? result : err(await endFailed(folder, result.error, context));
  } catch (error) {
    const failure = storageFailureOf(error) ?? removalOf(folder);
    if (failure === undefined) throw error;
    return err(
      folder === undefined
        ? { failure: atStore(failure, context.store.root) }
        : await endFailed(folder, failure, context),
    );
  }
}

/** The failure of an attempt whose folder someone has removed, perhaps with the whole store. */
const removalOf = (folder: string | undefined): Extract<Failure, { kind: 'storage' }> | undefined =>
  folder === undefined || existsSync(join(folder, attemptFiles.outputs))
    ? undefined
    : { kind: 'storage', code: 'ENOENT', path: folder, message: 'its files were removed while a stage ran' };

async function endFailed(folder: string, found: Failure, { store }: RunContext): Promise<AttemptFailure> {
  const failure = found.kind === 'interrupted' ? found : (removalOf(folder) ?? found);
  // On a broken disk the cleanup fails too; the first failure is the one to report.
  await releaseAttempt(folder).catch(() => {});
  const logPath = join(folder, attemptFiles.log);
  return {
    failure: failure.kind === 'storage' ? atStore(failure, store.root) : failure,
    ...(existsSync(logPath) ? { logPath } : {}),
  };
}

async function runIn(
  folder: string,
  stage: StageAttempt,
  context: RunContext,
): Promise<Result<ActionRecord, Failure>> {
  const { node, started } = stage;
  const { store } = context;
  const reports = openReports(node, context);
  const { report, warnings } = reports;
  const prepared = await prepare(stage, { folder, context, report });
  if (!prepared.ok) return prepared;
  const { action, addresses, given, watched } = prepared.value;
  const run = await dispatchAction({
    definition: node.definition,
    action,
    folder,
    processes: context.processes,
    timeoutMs: node.timeoutMs,
    graceMilliseconds: context.graceMilliseconds,
    signal: context.signal,
    report,
  });
  await reports.emitHeld();
  if (!run.ok) {
    // A file that is gone is no fault of the stage that reads it.
    const gone = run.error.kind === 'bug' ? await watched.changed() : undefined;
    return err(
      gone === undefined ? withAddresses(run.error, addresses) : { kind: 'source-changed', path: gone },
    );
  }
  const changed = await given.changed();
  if (changed !== undefined) return err({ kind: 'input-changed', ...changed });
  const outputs = await ingestOutputs(store, action.outputs);
  if (!outputs.ok) return outputs;
  const path = await watched.changed();
  if (path !== undefined) return err({ kind: 'source-changed', path });
  await noteNewFiles(watched, { folder: dirname(context.dag.file), report });
  const done = { outputs: outputs.value, measurements: run.value, warnings, started, context };
  return ok(await commitResult(stage, done));
}

/**
 * Passes on what a stage reports, and keeps its warnings. The lines of the records that a warning names are searched for
 * when the stage has ended; later warnings wait with it, to stay in order.
 */
function openReports(node: DagNode, context: RunContext) {
  const warnings: StageNote[] = [];
  const held: StageNote[] = [];
  const emit = (report: StageReport): void => context.emit({ type: 'stage-report', stage: node.id, report });
  return {
    warnings,
    report: (report: StageReport): void => {
      const isWarning = report.type === 'note' && report.level === 'warning';
      if (isWarning) warnings.push(report);
      if (isWarning && (report.records !== undefined || held.length > 0)) held.push(report);
      else emit(report);
    },
    emitHeld: async (): Promise<void> => {
      for (const warning of held.splice(0)) emit(await locateNote(warning, { node, context }));
    },
  };
}

interface AttemptSurroundings {
  readonly folder: string;
  readonly context: RunContext;
  readonly report: (report: StageReport) => void;
}

interface PreparedAttempt extends Pick<LaidOutSources, 'addresses'> {
  readonly action: StageAction;
  readonly given: GivenContents;
  readonly watched: WatchedSources;
}

/** Lays out everything that a stage reads, and begins to watch what could change while it does. */
async function prepare(
  stage: StageAttempt,
  attempt: AttemptSurroundings,
): Promise<Result<PreparedAttempt, Failure>> {
  const { node, inputs } = stage;
  const { folder, context } = attempt;
  const { store, sources, resources } = context;
  const { definition } = node;
  const toUserCode = definition.runsUserCode === true || definition.code !== undefined;
  const given = new GivenContents(store, { toUserCode });
  const laidOut = await sourcesOf(node, { ...attempt, given });
  if (!laidOut.ok) return laidOut;
  const { config, addresses } = laidOut.value;
  const prepared = await prepareAction({ node: { ...node, config }, inputs, folder, given, resources });
  const bundled = await bundleCode(node, { folder, stageProcess: context.stageProcess, store });
  if (!bundled.ok) return bundled;
  const { manifests, ...code } = bundled.value;
  const watched = await watchSources(node, { sources, store, files: manifests, mayGrow: toUserCode });
  if (!watched.ok) return err({ kind: 'source-changed', path: watched.error });
  const action = { ...prepared, ...(await openKeptFolders(stage, context)), ...code };
  return ok({ action, addresses, given, watched: watched.value });
}

/** The warning is kept with the result, so it names a file from the pipeline's folder. */
async function noteNewFiles(
  watched: WatchedSources,
  { folder, report }: { readonly folder: string; readonly report: (report: StageReport) => void },
): Promise<void> {
  const [path, ...others] = await watched.appeared();
  if (path === undefined) return;
  const first = relative(folder, path);
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  const message = `${first}${more} appeared beside the files that it reads, so that it runs again next time; write elsewhere`;
  report({ type: 'note', level: 'warning', message });
}

async function sourcesOf(
  node: DagNode,
  attempt: AttemptSurroundings & { readonly given: GivenContents },
): Promise<Result<LaidOutSources, Failure>> {
  try {
    return ok(await layOutSources(node, { ...attempt, folder: join(attempt.folder, attemptFiles.sources) }));
  } catch (error) {
    const { signal } = attempt.context;
    if (!isUserError(error) && !signal.aborted) throw error;
    return err(failureOf(error, signal));
  }
}
