import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { err, ok, type Result } from '../../core/index.ts';
import type { DagNode } from '../graph/dag.ts';
import { describeRun } from '../plan/describe-reason.ts';
import type { Failure } from '../stage/run-event.ts';
import type { StageReport } from '../stage/stage-definition.ts';
import { type ActionRecord, findRecord, useRecord } from '../store/action-records.ts';
import { takeLease } from '../store/lease.ts';
import type { StageOutcome } from '../store/run-records.ts';
import { atStore, storageFailureOf } from '../store/system-error.ts';
import { attemptFiles, discardAttempt, openAttempt, releaseAttempt } from './attempt.ts';
import { changedSource, commitResult, ingestOutputs } from './commit-result.ts';
import { dispatchAction } from './dispatch-action.ts';
import { type LaidOutSources, layOutSources, locateRecords } from './lay-out-sources.ts';
import { bundleCode, changedCode, openKeptFolders, prepareAction, withAddresses } from './prepare-action.ts';
import { failureOf, isUserError } from './run-action.ts';
import { millisecondsSince, type RunContext, type StageTask, type Start, startNow } from './run-context.ts';

/** Runs a stage, unless somebody else is at the very same: then waits for them and takes their result. */
export async function executeOnce(task: StageTask, context: RunContext): Promise<StageOutcome> {
  const { node, decision } = task;
  const { store, signal, emit } = context;
  await using _lease = await takeLease(store, {
    key: decision.key,
    signal,
    onWait: ({ host, pid }) => {
      const message = `waits for process ${pid} on ${host}, which runs the same`;
      emit({ type: 'stage-report', stage: node.id, report: { type: 'note', level: 'info', message } });
    },
  });
  // Since it was decided, another process may have run it, or another stage of this run with the same key.
  if (decision.reason.kind !== 'forced') {
    const found = await findRecord(store, decision.key);
    const reused = found.kind === 'usable' ? reuse(node, { record: found.record, context }) : undefined;
    if (reused !== undefined) return reused;
  }
  return await executeStage(task, context);
}

/** Undefined where gc has just taken the record away. */
export function reuse(
  node: DagNode,
  { record, context }: { readonly record: ActionRecord; readonly context: RunContext },
): StageOutcome | undefined {
  if (!useRecord(context.store, record.key, new Date())) return undefined;
  context.emit({ type: 'stage-reused', stage: node.id, key: record.key });
  return { decision: 'reused', uses: node.definition.name, key: record.key, outputs: record.outputs };
}

/** Runs a stage, again where its retries allow it, and commits what it wrote. */
async function executeStage(task: StageTask, context: RunContext): Promise<StageOutcome> {
  const { node, decision } = task;
  const { key } = decision;
  const uses = node.definition.name;
  const reason = describeRun(decision);
  const started = startNow();
  for (let number = 1; ; number += 1) {
    context.emit({ type: 'stage-started', stage: node.id, key, reason, attempt: number });
    const end = await attemptStage({ ...task, number, started }, context);
    const milliseconds = millisecondsSince(started);
    if (end.ok) {
      const { outputs, measurements } = end.value;
      context.emit({ type: 'stage-finished', stage: node.id, key, milliseconds, measurements });
      return { decision: 'ran', uses, key, reason, outputs, milliseconds, attempts: number, measurements };
    }
    if (!mayTryAgain(end.error.failure, { number, node, context })) {
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

function mayTryAgain(
  failure: Failure,
  at: { readonly number: number; readonly node: DagNode; readonly context: RunContext },
): boolean {
  if (failure.kind === 'interrupted' || failure.kind === 'source-changed') return false;
  return at.number <= at.node.retries && !at.context.signal.aborted;
}

/** One try at a stage; the first has the number 1. */
interface StageAttempt extends StageTask {
  readonly number: number;
  /** When the first was begun. */
  readonly started: Start;
}

interface AttemptFailure {
  readonly failure: Failure;
  /** Absolute; absent where the stage logged nothing. */
  readonly logPath?: string;
}

/**
 * Runs a stage once and commits what it wrote. Its folder goes only after the record stands, so that a stage that can
 * resume can do so until then; nothing else of a failed attempt can be seen but its log.
 */
async function attemptStage(
  attempt: StageAttempt,
  context: RunContext,
): Promise<Result<ActionRecord, AttemptFailure>> {
  let folder: string | undefined;
  try {
    const name = `${context.run}-${attempt.number}`;
    folder = await openAttempt(context.store, { key: attempt.decision.key, name });
    const result = await runIn(folder, { attempt, context });
    if (result.ok) await discardAttempt(folder);
    return result.ok ? result : err(await release(folder, { failure: result.error, context }));
  } catch (error) {
    const failure = storageFailureOf(error);
    if (failure === undefined) throw error;
    return err(
      folder === undefined
        ? { failure: atStore(failure, context.store.root) }
        : await release(folder, { failure, context }),
    );
  }
}

async function release(
  folder: string,
  end: { readonly failure: Failure; readonly context: RunContext },
): Promise<AttemptFailure> {
  const { root } = end.context.store;
  const failure = end.failure.kind === 'storage' ? atStore(end.failure, root) : end.failure;
  // On a broken disk the clearing up fails too; the first failure is the one to tell.
  await releaseAttempt(folder).catch(() => {});
  const logPath = join(folder, attemptFiles.log);
  return { failure, ...(existsSync(logPath) ? { logPath } : {}) };
}

async function runIn(
  folder: string,
  { attempt, context }: { readonly attempt: StageAttempt; readonly context: RunContext },
): Promise<Result<ActionRecord, Failure>> {
  const { node, inputs, started } = attempt;
  const { store, sources, resources, emit } = context;
  const report = (report: StageReport): void => emit({ type: 'stage-report', stage: node.id, report });
  const laidOut = await sourcesOf(node, { folder, context, report });
  if (!laidOut.ok) return laidOut;
  const { config, addresses } = laidOut.value;
  const prepared = await prepareAction(store, { node: { ...node, config }, inputs, folder, resources });
  const code = await bundleCode(node, { folder, stageProcess: context.stageProcess });
  if (!code.ok) return code;
  const action = { ...prepared, ...(await openKeptFolders(attempt, context)), ...code.value };
  const { definition, timeoutMs } = node;
  const run = await dispatchAction({
    definition,
    action,
    folder,
    processes: context.processes,
    timeoutMs,
    graceMilliseconds: context.graceMilliseconds,
    signal: context.signal,
    report,
  });
  if (!run.ok) return err(withAddresses(run.error, addresses));
  const outputs = await ingestOutputs(store, action.outputs);
  if (!outputs.ok) return outputs;
  const path = (await changedSource(node, sources)) ?? (await changedCode(node));
  if (path !== undefined) return err({ kind: 'source-changed', path });
  return ok(
    await commitResult(attempt, { outputs: outputs.value, measurements: run.value, started, context }),
  );
}

async function sourcesOf(
  node: DagNode,
  attempt: {
    readonly folder: string;
    readonly context: RunContext;
    readonly report: (report: StageReport) => void;
  },
): Promise<Result<LaidOutSources, Failure>> {
  try {
    return ok(await layOutSources(node, { ...attempt, folder: join(attempt.folder, attemptFiles.sources) }));
  } catch (error) {
    const { signal } = attempt.context;
    if (!isUserError(error) && !signal.aborted) throw error;
    return err(failureOf(error, signal));
  }
}
