import { keyMaterialOf } from '../key/key-material.ts';
import type { ActionRecord } from '../store/action-record.ts';
import { commitRecord } from '../store/action-records.ts';
import type { PortContent } from '../store/digest.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { RunContext } from './run-context.ts';
import type { Measurements } from './stage-message.ts';
import { millisecondsSince, type StageTask, type Start } from './stage-task.ts';

/** Puts on record what a stage wrote, all of it being in the store; returns the record that stands. */
export function commitResult(
  { node, decision, inputs }: StageTask,
  done: {
    readonly outputs: Readonly<Record<string, PortContent>>;
    readonly measurements: Measurements;
    readonly started: Start;
    readonly context: RunContext;
  },
): Promise<ActionRecord> {
  const { outputs, measurements, started, context } = done;
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
      startedAt: started.date.toISOString(),
      milliseconds: millisecondsSince(started),
      fingerprint,
    },
    measurements,
  };
  // What was run to replace a result replaces it; otherwise whoever was first is right.
  const replace = decision.reason.kind !== 'never-ran' && decision.reason.kind !== 'changed';
  return commitRecord(context.store, { record, replace });
}
