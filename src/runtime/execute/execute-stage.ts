import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../event/failure.ts';
import type { DagNode } from '../graph/dag.ts';
import { describeRun } from '../plan/describe-reason.ts';
import type { StageOutcome } from '../store/run-record.ts';
import { attemptStage } from './attempt-stage.ts';
import { locateRecords } from './locate-records.ts';
import type { RunContext } from './run-context.ts';
import { millisecondsSince, type StageTask, startNow } from './stage-task.ts';

/** Runs a stage, again where its retries allow it, and commits what it wrote. */
export async function executeStage(task: StageTask, context: RunContext): Promise<StageOutcome> {
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
