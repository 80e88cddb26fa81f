import type { DagNode } from '../graph/dag.ts';
import { describeRun } from '../plan/describe-reason.ts';
import { type ActionRecord, findRecord, useRecord } from '../store/action-records.ts';
import { takeLease } from '../store/lease.ts';
import type { StageOutcome } from '../store/run-records.ts';
import { atStore, isReadOnly, storageFailureOf } from '../store/system-error.ts';
import { executeStage } from './execute-stage.ts';
import { failureOf } from './run-action.ts';
import { millisecondsSince, type RunContext, type StageTask, startNow } from './run-context.ts';

/**
 * A full disk, or an internal error in one stage, is that stage's failure: the others go on, and the run ends as after any
 * failure. Only a store that cannot be written ends the run.
 */
export async function executeSafely(task: StageTask, context: RunContext): Promise<StageOutcome> {
  const started = startNow();
  try {
    return await executeOnce(task, context);
  } catch (error) {
    const storage = storageFailureOf(error);
    if (storage !== undefined && isReadOnly(storage)) throw error;
    const { node, decision } = task;
    const failure =
      storage === undefined ? failureOf(error, context.signal) : atStore(storage, context.store.root);
    context.emit({ type: 'stage-failed', stage: node.id, failure });
    return {
      decision: 'failed',
      uses: node.definition.name,
      key: decision.key,
      reason: describeRun(decision),
      failure,
      milliseconds: millisecondsSince(started),
      attempts: 1,
    };
  }
}

/** Runs a stage. If another process is running the same key, waits for it and takes its result. */
async function executeOnce(task: StageTask, context: RunContext): Promise<StageOutcome> {
  const { node, decision } = task;
  const { store, signal, emit } = context;
  await using _lease = await takeLease(store, {
    key: decision.key,
    signal,
    onWait: ({ host, pid }) => {
      const message = `waits for process ${pid} on ${host}, which is computing the same result`;
      emit({ type: 'stage-report', stage: node.id, report: { type: 'note', level: 'info', message } });
    },
  });
  // Since the decision another process, or another stage of this run with the same key, may have run it.
  if (decision.reason.kind !== 'forced') {
    const found = await findRecord(store, decision.key, context.unreachable);
    const isFound = found.kind === 'usable' || found.kind === 'remote';
    const reused = isFound ? reuse(node, { record: found.record, context }) : undefined;
    if (reused !== undefined) return reused;
  }
  return await executeStage(task, context);
}

/** Undefined if gc has just removed the record. */
export function reuse(
  node: DagNode,
  { record, context }: { readonly record: ActionRecord; readonly context: RunContext },
): StageOutcome | undefined {
  if (!useRecord(context.store, record.key, new Date())) return undefined;
  context.emit({ type: 'stage-reused', stage: node.id, key: record.key });
  for (const { message, records } of record.warnings ?? []) {
    const named = records && { records: records.map((id) => ({ id })) };
    const report = { type: 'note', level: 'warning', message, ...named } as const;
    context.emit({ type: 'stage-report', stage: node.id, report });
  }
  return { decision: 'reused', uses: node.definition.name, key: record.key, outputs: record.outputs };
}
