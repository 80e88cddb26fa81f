import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Failure } from '../event/failure.ts';
import type { DagNode } from '../graph/dag.ts';
import { err, ok, type Result } from '../result.ts';
import type { StageReport } from '../stage/stage-definition.ts';
import type { ActionRecord } from '../store/action-record.ts';
import { atStore, storageFailureOf } from '../store/system-error.ts';
import { attemptFiles, discardAttempt, openAttempt, releaseAttempt } from './attempt.ts';
import { bundleCode, changedCode } from './bundle-code.ts';
import { changedSource } from './changed-source.ts';
import { commitResult } from './commit-result.ts';
import { failureOf, isUserError } from './failure-of.ts';
import { type LaidOutSources, layOutSources } from './lay-out-sources.ts';
import { openKeptFolders } from './open-kept-folders.ts';
import { prepareAction } from './prepare-action.ts';
import { runChild } from './run-child.ts';
import type { RunContext } from './run-context.ts';
import { runInline } from './run-inline.ts';
import { runShared } from './run-shared.ts';
import { sayAddresses } from './say-addresses.ts';
import { ingestOutputs } from './stage-outputs.ts';
import type { StageTask, Start } from './stage-task.ts';

/** One try at a stage; the first has the number 1. */
export interface StageAttempt extends StageTask {
  readonly number: number;
  /** When the first was begun. */
  readonly started: Start;
}

export interface AttemptFailure {
  readonly failure: Failure;
  /** Absolute; absent where the stage logged nothing. */
  readonly logPath?: string;
}

/**
 * Runs a stage once and commits what it wrote. Its folder goes only after the record stands, so that a stage that can
 * resume can do so until then; nothing else of a failed attempt can be seen but its log.
 */
export async function attemptStage(
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
  const run = await runners[definition.process]({
    definition,
    action,
    folder,
    stageProcess: context.stageProcess,
    processes: context.processes,
    timeoutMs,
    graceMilliseconds: context.graceMilliseconds,
    signal: context.signal,
    report,
  });
  if (!run.ok) return err(sayAddresses(run.error, addresses));
  const outputs = await ingestOutputs(store, action.outputs);
  if (!outputs.ok) return outputs;
  const path = (await changedSource(node, sources)) ?? (await changedCode(node));
  if (path !== undefined) return err({ kind: 'source-changed', path });
  return ok(
    await commitResult(attempt, { outputs: outputs.value, measurements: run.value, started, context }),
  );
}

const runners = { inline: runInline, shared: runShared, child: runChild };

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
