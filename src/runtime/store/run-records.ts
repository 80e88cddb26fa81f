import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from './atomic-write.ts';
import { parseRunRecord } from './parse-run-record.ts';
import { mayBeAlive } from './process-identity.ts';
import type { RunRecord } from './run-record.ts';
import { parseSealed, sealJson } from './sealed-json.ts';
import type { Store } from './store.ts';
import { runPath, storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

/** A new run's id: later runs sort after earlier ones. */
export const newRunId = (now: Date): string =>
  `${now.toISOString().replaceAll(':', '-').replace('.', '-')}-${randomBytes(3).toString('hex')}`;

/** The ids of all runs, the latest first. */
export function listRunIds(store: Store): readonly string[] {
  try {
    const names = readdirSync(join(store.root, storeLayout.runs)).filter((name) => name.endsWith('.json'));
    return names
      .map((name) => name.slice(0, -'.json'.length))
      .sort()
      .reverse();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** A run's record, or undefined where there is none that can be read. */
export function readRun(store: Store, run: string): RunRecord | undefined {
  if (run.includes('/') || run.includes('\\')) return undefined;
  try {
    const value = parseSealed(readFileSync(join(store.root, runPath(run)), 'utf8'));
    const record = parseRunRecord(value);
    return record && withItsEnd(record);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG') || error instanceof SyntaxError)
      return undefined;
    throw error;
  }
}

/** The latest runs first; records that cannot be read are left out. */
export function* listRuns(store: Store): Generator<RunRecord> {
  for (const run of listRunIds(store)) {
    const record = readRun(store, run);
    if (record !== undefined) yield record;
  }
}

/** Writes a run's journal; again when the run has ended. */
export async function writeRun(store: Store, record: RunRecord): Promise<void> {
  const path = join(store.root, runPath(record.run));
  const durable = record.outcome !== 'running';
  const content = sealJson(JSON.stringify(record, null, 1));
  await writeAtomically({ root: store.root, path, content, durable });
}

/** A journal whose process is gone will never be ended. */
const withItsEnd = (record: RunRecord): RunRecord =>
  record.outcome === 'running' && !mayBeAlive(record.process) ? { ...record, outcome: 'killed' } : record;
