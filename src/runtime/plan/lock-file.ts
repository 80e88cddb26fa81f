import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, relative, sep } from 'node:path';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Dag, SourceField } from '../graph/dag.ts';
import type { SourceDigests } from '../key/key-material.ts';
import { err, ok, type Result } from '../result.ts';
import type { Resolution, Resolutions } from '../store/resolution.ts';
import type { StageOutcome } from '../store/run-record.ts';
import { hasErrorCode, storageFailureOf } from '../store/system-error.ts';
import { type Lock, type LockedStage, lockPathOf } from './lock.ts';
import { parseLock } from './parse-lock.ts';
import { renderLock } from './render-lock.ts';

/** The lock beside a pipeline, if there is one. */
export function readLock(dag: Dag): Result<Lock | undefined, Diagnostic> {
  const path = lockPathOf(dag.file);
  try {
    const text = readFileSync(path, 'utf8');
    const lock = parseLock({ path, displayPath: lockPathOf(dag.displayPath), text });
    return lock.ok ? ok(lock.value) : err(lock.error);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return ok(undefined);
    if (!(error instanceof Error) || !('code' in error)) throw error;
    return err({ code: 'unreadable-lock', message: `the lock ${path} cannot be read: ${error.message}` });
  }
}

/** Writes the lock where it differs from the one that is there; returns why that cannot be done, if it cannot. */
export async function writeLock(
  dag: Dag,
  { lock, previous }: { lock: Lock; previous: Lock | undefined },
): Promise<string | undefined> {
  const text = renderLock(lock);
  if (previous !== undefined && renderLock(previous) === text) return undefined;
  const path = lockPathOf(dag.file);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, path);
    return undefined;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const failure = storageFailureOf(error);
    if (failure === undefined) throw error;
    return `the lock ${path} could not be written: ${failure.message}`;
  }
}

/** What a lock calls a source: its path from the pipeline's folder, or its address. */
export const lockedName = (dag: Dag, { path, resolver }: Pick<SourceField, 'path' | 'resolver'>): string =>
  resolver === undefined ? relative(dirname(dag.file), path).split(sep).join('/') : path;

/** The lock after a successful run. A run with overrides or of some stages only leaves the other lines as they are. */
export function lockAfter(run: {
  readonly dag: Dag;
  readonly previous: Lock | undefined;
  readonly sources: SourceDigests;
  readonly resolutions: Resolutions;
  readonly outcomes: ReadonlyMap<string, StageOutcome>;
}): Lock {
  const { dag, previous, outcomes } = run;
  const present = [...dag.nodes.values()].flatMap((node) => node.sources);
  const sources = new Map(
    present.flatMap((field) => {
      const name = lockedName(dag, field);
      const source = sourceIn(field, run) ?? previous?.sources.get(name);
      return source === undefined ? [] : [[name, source] as const];
    }),
  );
  if (dag.overridden) return { sources, stages: previous?.stages ?? new Map() };
  const stages = new Map(
    [...dag.nodes.keys()].flatMap((id) => {
      const stage = lockedStage(outcomes.get(id)) ?? previous?.stages.get(id);
      return stage === undefined ? [] : [[id, stage] as const];
    }),
  );
  return { sources, stages };
}

function sourceIn(
  { path, resolver }: SourceField,
  run: { readonly sources: SourceDigests; readonly resolutions: Resolutions },
): Resolution | undefined {
  if (resolver !== undefined) return run.resolutions.get(path);
  const digest = run.sources.get(path);
  return digest === undefined ? undefined : { digest };
}

const lockedStage = (outcome: StageOutcome | undefined): LockedStage | undefined =>
  outcome !== undefined && (outcome.decision === 'ran' || outcome.decision === 'reused')
    ? { key: outcome.key, outputs: outcome.outputs }
    : undefined;
