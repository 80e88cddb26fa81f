import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Failure } from '../event/failure.ts';
import type { DagNode } from '../graph/dag.ts';
import type { CacheKey } from '../key/cache-key.ts';
import { err, ok, type Result } from '../result.ts';
import type { StageReport } from '../stage/stage-definition.ts';
import type { PortContent } from '../store/digest.ts';
import { storageFailureOf } from '../store/system-error.ts';
import { attemptFiles, discardAttempt, openAttempt, releaseAttempt } from './attempt.ts';
import { changedSource } from './changed-source.ts';
import { prepareAction } from './prepare-action.ts';
import { runChild } from './run-child.ts';
import type { RunContext } from './run-context.ts';
import { runInline } from './run-inline.ts';
import type { Measurements } from './stage-message.ts';
import { ingestOutputs } from './stage-outputs.ts';

/** One try at a stage. */
export interface StageAttempt {
  readonly node: DagNode;
  readonly key: CacheKey;
  readonly inputs: Readonly<Record<string, PortContent>>;
  readonly number: number;
  readonly report: (report: StageReport) => void;
}

export interface AttemptResult {
  readonly outputs: Readonly<Record<string, PortContent>>;
  readonly measurements: Measurements;
}

export interface AttemptFailure {
  readonly failure: Failure;
  readonly logPath?: string;
}

/** Runs a stage once and takes its outputs into the store. Nothing of a failed attempt can be seen but its log. */
export async function attemptStage(
  attempt: StageAttempt,
  context: RunContext,
): Promise<Result<AttemptResult, AttemptFailure>> {
  let folder: string | undefined;
  try {
    folder = await openAttempt(context.store, { key: attempt.key, name: `${context.run}-${attempt.number}` });
    const result = await runIn(folder, { attempt, context });
    if (result.ok) {
      await discardAttempt(folder);
      return result;
    }
    await releaseAttempt(folder);
    const logPath = join(folder, attemptFiles.log);
    return err({ failure: result.error, ...(existsSync(logPath) ? { logPath } : {}) });
  } catch (error) {
    const failure = storageFailureOf(error);
    if (failure === undefined) throw error;
    if (folder !== undefined) await releaseAttempt(folder).catch(() => {});
    return err({ failure });
  }
}

async function runIn(
  folder: string,
  { attempt, context }: { readonly attempt: StageAttempt; readonly context: RunContext },
): Promise<Result<AttemptResult, Failure>> {
  const { node, inputs, report } = attempt;
  const { store, sources, resources } = context;
  const action = await prepareAction(store, { node, inputs, folder, resources });
  const { definition, timeoutMs } = node;
  const { stageProcess, graceMilliseconds, signal } = context;
  const execution = {
    definition,
    action,
    folder,
    stageProcess,
    timeoutMs,
    graceMilliseconds,
    signal,
    report,
  };
  const run = await (definition.process === 'child' ? runChild(execution) : runInline(execution));
  if (!run.ok) return run;
  const outputs = await ingestOutputs(store, action.outputs);
  if (!outputs.ok) return outputs;
  const path = await changedSource(node, sources);
  if (path !== undefined) return err({ kind: 'source-changed', path });
  return ok({ outputs: outputs.value, measurements: run.value });
}
