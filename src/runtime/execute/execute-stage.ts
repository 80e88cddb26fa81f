import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { err, ok, type Result } from '../../core/index.ts';
import type { DagNode } from '../graph/dag.ts';
import { describeRun } from '../plan/describe-reason.ts';
import type { Failure } from '../stage/run-event.ts';
import type { StageNote, StageReport } from '../stage/stage-definition.ts';
import type { ActionRecord } from '../store/action-records.ts';
import type { StageOutcome } from '../store/run-records.ts';
import { attemptFiles } from '../store/store-layout.ts';
import { atStore, storageFailureOf } from '../store/system-error.ts';
import {
  adoptAttempt,
  attemptName,
  detachAttempt,
  detachedAttempts,
  discardAttempt,
  openAttempt,
  releaseAttempt,
} from './attempt.ts';
import { commitResult } from './commit-result.ts';
import { type Job, type JobFailure, runJob } from './executor/executor.ts';
import { locateNote, locateRecords } from './lay-out-sources.ts';
import { withAddresses } from './prepare-action.ts';
import { noteNewFiles, prepareAttempt } from './prepare-attempt.ts';
import { millisecondsSince, type RunContext, type StageTask, type Start, startNow } from './run-context.ts';
import { runShards } from './run-shards.ts';

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
    const adopted = await adopt(stage, context);
    folder =
      adopted ??
      (await openAttempt(context.store, { key: decision.key, attempt: attemptName(context.run, number) }));
    const result = await runIn({ folder, again: adopted !== undefined }, stage, context);
    if (result.ok) await discardAttempt(folder);
    return result.ok ? result : err(await endFailed(folder, result.error, context));
  } catch (error) {
    const failure = storageFailureOf(error) ?? removalOf(folder);
    if (failure === undefined) throw error;
    return err(
      folder === undefined
        ? { failure: atStore(failure, context.store.root) }
        : await endFailed(folder, { failure }, context),
    );
  }
}

/** The failure of an attempt whose folder someone has removed, perhaps with the whole store. */
const removalOf = (folder: string | undefined): Extract<Failure, { kind: 'storage' }> | undefined =>
  folder === undefined || existsSync(join(folder, attemptFiles.outputs))
    ? undefined
    : { kind: 'storage', code: 'ENOENT', path: folder, message: 'its files were removed while a stage ran' };

async function endFailed(
  folder: string,
  { failure: found, mayRun }: JobFailure,
  { store }: RunContext,
): Promise<AttemptFailure> {
  const failure = found.kind === 'interrupted' ? found : (removalOf(folder) ?? found);
  // On a broken disk the cleanup fails too; the first failure is the one to report.
  await (mayRun ? detachAttempt(folder) : releaseAttempt(folder)).catch(() => {});
  const logPath = join(folder, attemptFiles.log);
  return {
    failure: failure.kind === 'storage' ? atStore(failure, store.root) : failure,
    ...(existsSync(logPath) ? { logPath } : {}),
  };
}

/** The folder of an attempt whose job goes on in this stage's executor, without the process that submitted it. */
async function adopt(
  { node, decision, executor }: StageTask,
  context: RunContext,
): Promise<string | undefined> {
  let adopted: string | undefined;
  for (const { folder, job } of await detachedAttempts(context.store, decision.key)) {
    const isOurs = job.executor === executor.name && adopted === undefined;
    if (isOurs) {
      adopted = folder;
      await adoptAttempt(folder);
    }
    const message = isOurs
      ? `takes up ${job.place} of an earlier run`
      : `${job.place} of \`${job.executor}\` may still compute this result; run with --executor ${job.executor} to take it up`;
    context.emit({ type: 'stage-report', stage: node.id, report: { type: 'note', level: 'info', message } });
  }
  return adopted;
}

async function runIn(
  { folder, again }: { readonly folder: string; readonly again: boolean },
  stage: StageAttempt,
  context: RunContext,
): Promise<Result<ActionRecord, JobFailure>> {
  const { node, started, executor } = stage;
  const { store, signal, graceMilliseconds } = context;
  const reports = openReports(node, context);
  const { report, warnings } = reports;
  const prepared = await prepareAttempt(stage, { folder, again, context, report });
  if (!prepared.ok) return failed(prepared.error);
  const { action, addresses, given, watched, contents } = prepared.value;
  const { definition, timeoutMs } = node;
  const name = `${basename(dirname(folder)).slice(0, 16)}-${basename(folder)}`;
  const job: Job = { definition, action, folder, store, name, contents, timeoutMs, graceMilliseconds };
  const shards = definition.shards === undefined ? 1 : (action.resources.shards ?? 1);
  const run =
    shards === 1
      ? await runJob(executor, job, { signal, report })
      : await runShards(executor, job, { shards, signal, report });
  await reports.emitHeld();
  if (!run.ok) {
    const { failure } = run.error;
    // A file that is gone is no fault of the stage that reads it.
    const gone = failure.kind === 'bug' ? await watched.changed() : undefined;
    if (gone !== undefined) return failed({ kind: 'source-changed', path: gone });
    return err({ ...run.error, failure: withAddresses(failure, addresses) });
  }
  const changed = await given.changed();
  if (changed !== undefined) return failed({ kind: 'input-changed', ...changed });
  const outputs = await run.value.collect(signal);
  if (!outputs.ok) return outputs;
  const path = await watched.changed();
  if (path !== undefined) return failed({ kind: 'source-changed', path });
  await noteNewFiles(watched, { folder: dirname(context.dag.file), report });
  const { measurements, machine } = run.value;
  return ok(
    await commitResult(stage, { outputs: outputs.value, measurements, machine, warnings, started, context }),
  );
}

const failed = (failure: Failure): Result<never, JobFailure> => err({ failure });

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
