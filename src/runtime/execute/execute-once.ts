import type { DagNode } from '../graph/dag.ts';
import type { ActionRecord } from '../store/action-record.ts';
import { findRecord } from '../store/action-records.ts';
import { takeLease } from '../store/lease.ts';
import type { StageOutcome } from '../store/run-record.ts';
import { useRecord } from '../store/use-record.ts';
import { executeStage } from './execute-stage.ts';
import type { RunContext } from './run-context.ts';
import type { StageTask } from './stage-task.ts';

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
