import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { err, ok, type Result } from '../../core/index.ts';
import type { DagNode } from '../graph/dag.ts';
import { describeRun } from '../plan/describe-reason.ts';
import type { Failure } from '../stage/run-event.ts';
import type { StageReport } from '../stage/stage-definition.ts';
import type { ActionRecord } from '../store/action-records.ts';
import type { StageOutcome } from '../store/run-records.ts';
import { attemptFiles } from '../store/store-layout.ts';
import { atStore, storageFailureOf } from '../store/system-error.ts';
import { discardAttempt, openAttempt, releaseAttempt } from './attempt.ts';
import { changedSource, commitResult, ingestOutputs } from './commit-result.ts';
import { dispatchAction } from './dispatch-action.ts';
import { type LaidOutSources, layOutSources, locateRecords } from './lay-out-sources.ts';
import { bundleCode, changedCode, openKeptFolders, prepareAction, withAddresses } from './prepare-action.ts';
import { failureOf, isUserError } from './run-action.ts';
import { millisecondsSince, type RunContext, type StageTask, type Start, startNow } from './run-context.ts';

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
  if (failure.kind === 'interrupted' || failure.kind === 'source-changed') return false;
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
    const failure = storageFailureOf(error);
    if (failure === undefined) throw error;
    return err(
      folder === undefined
        ? { failure: atStore(failure, context.store.root) }
        : await endFailed(folder, failure, context),
    );
  }
}

async function endFailed(folder: string, failure: Failure, { store }: RunContext): Promise<AttemptFailure> {
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
  const { node, inputs, started } = stage;
  const { store, sources, resources, emit } = context;
  const report = (report: StageReport): void => emit({ type: 'stage-report', stage: node.id, report });
  const laidOut = await sourcesOf(node, { folder, context, report });
  if (!laidOut.ok) return laidOut;
  const { config, addresses } = laidOut.value;
  const prepared = await prepareAction(store, { node: { ...node, config }, inputs, folder, resources });
  const code = await bundleCode(node, { folder, stageProcess: context.stageProcess });
  if (!code.ok) return code;
  const action = { ...prepared, ...(await openKeptFolders(stage, context)), ...code.value };
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
  if (!run.ok) {
    // A file that is gone is no fault of the stage that reads it.
    const gone = run.error.kind === 'bug' ? await changedSource(node, sources) : undefined;
    return err(
      gone === undefined ? withAddresses(run.error, addresses) : { kind: 'source-changed', path: gone },
    );
  }
  const outputs = await ingestOutputs(store, action.outputs);
  if (!outputs.ok) return outputs;
  const path = (await changedSource(node, sources)) ?? (await changedCode(node));
  if (path !== undefined) return err({ kind: 'source-changed', path });
  return ok(await commitResult(stage, { outputs: outputs.value, measurements: run.value, started, context }));
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
