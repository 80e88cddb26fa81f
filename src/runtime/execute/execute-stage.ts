import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../event/failure.ts';
import type { DagNode } from '../graph/dag.ts';
import { keyMaterialOf } from '../key/key-material.ts';
import type { Decision } from '../plan/decision.ts';
import { describeReason } from '../plan/describe-reason.ts';
import type { ActionRecord } from '../store/action-record.ts';
import { commitRecord } from '../store/action-records.ts';
import type { PortContent } from '../store/digest.ts';
import type { StageOutcome } from '../store/run-record.ts';
import { storageFailureOf } from '../store/system-error.ts';
import { type AttemptFailure, type AttemptResult, attemptStage, type StageAttempt } from './attempt-stage.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { RunContext } from './run-context.ts';

/** A stage that has to run, and what with. */
export interface StageTask {
  readonly node: DagNode;
  readonly decision: Extract<Decision, { kind: 'run' }>;
  readonly inputs: Readonly<Record<string, PortContent>>;
}

/** Runs a stage, again where its retries allow it, and commits what it wrote. */
export async function executeStage(task: StageTask, context: RunContext): Promise<StageOutcome> {
  const { node, decision } = task;
  const { key } = decision;
  const uses = node.definition.name;
  const reason = describeReason(decision.reason);
  const started = { date: new Date(), clock: performance.now() };
  for (let number = 1; ; number += 1) {
    context.emit({ type: 'stage-started', stage: node.id, key, reason, attempt: number });
    const attempt = attemptOf(task, { number, context });
    const result = await attemptStage(attempt, context);
    const milliseconds = Math.round(performance.now() - started.clock);
    const timing = { startedAt: started.date, milliseconds };
    const end = result.ok ? await commit(task, { result: result.value, timing, context }) : result.error;
    if ('record' in end) {
      const { outputs, measurements } = end.record;
      context.emit({ type: 'stage-finished', stage: node.id, key, milliseconds, measurements });
      return { decision: 'ran', uses, key, reason, outputs, milliseconds, attempts: number, measurements };
    }
    if (!mayTryAgain(end.failure, { number, node, context })) {
      context.emit({ type: 'stage-failed', stage: node.id, ...end });
      return { decision: 'failed', uses, key, reason, milliseconds, attempts: number, ...end };
    }
    context.emit({ type: 'stage-retried', stage: node.id, failure: end.failure, attempt: number });
    await sleep(Math.min(500 * 2 ** (number - 1), 30_000), undefined, { signal: context.signal }).catch(
      () => {},
    );
  }
}

function attemptOf(
  { node, decision, inputs }: StageTask,
  { number, context }: { readonly number: number; readonly context: RunContext },
): StageAttempt {
  const report: StageAttempt['report'] = (report) =>
    context.emit({ type: 'stage-report', stage: node.id, report });
  return { node, key: decision.key, inputs, number, report };
}

async function commit(
  { node, decision, inputs }: StageTask,
  done: {
    readonly result: AttemptResult;
    readonly timing: { readonly startedAt: Date; readonly milliseconds: number };
    readonly context: RunContext;
  },
): Promise<{ readonly record: ActionRecord } | AttemptFailure> {
  const { result, timing, context } = done;
  const { outputs, measurements } = result;
  const fingerprint = fingerprintOf({ measurements, resources: { ...node.resources, ...context.resources } });
  const record: ActionRecord = {
    format: 1,
    key: decision.key,
    material: keyMaterialOf({ node, inputs, sources: context.sources }),
    outputs,
    provenance: {
      pipeline: context.dag.name,
      stage: node.id,
      run: context.run,
      startedAt: timing.startedAt.toISOString(),
      milliseconds: timing.milliseconds,
      fingerprint,
    },
    measurements,
  };
  try {
    // What was run to replace a result replaces it; otherwise whoever was first is right.
    const replace = decision.reason.kind !== 'never-ran' && decision.reason.kind !== 'changed';
    return { record: await commitRecord(context.store, { record, replace }) };
  } catch (error) {
    const failure = storageFailureOf(error);
    if (failure === undefined) throw error;
    return { failure };
  }
}

function mayTryAgain(
  failure: Failure,
  at: { readonly number: number; readonly node: DagNode; readonly context: RunContext },
): boolean {
  if (failure.kind === 'interrupted' || failure.kind === 'source-changed') return false;
  return at.number <= at.node.retries && !at.context.signal.aborted;
}
