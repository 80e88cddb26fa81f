import { statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { CacheKey } from '../key/key-material.ts';
import { isOnThisHost } from './process-identity.ts';
import type { RunRecord } from './run-records.ts';
import type { Store } from './store.ts';
import { actionPath, runPath } from './store-layout.ts';
import { hasErrorCode, storageFailureOf } from './system-error.ts';

/** How far a record's time of use may lie behind, in milliseconds: a run with nothing to do writes nothing. */
export const useResolution = 60 * 60 * 1000;

/**
 * Notes that a run uses a record: its modification time says when that last happened, for gc alone. False where gc has
 * just taken the record away, and so may be taking away what it stands for.
 */
export function useRecord(store: Store, key: CacheKey, now: Date): boolean {
  const path = join(store.root, actionPath(key));
  try {
    if (now.getTime() - statSync(path).mtimeMs > useResolution) utimesSync(path, now, now);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    // A store that can only be read is nobody's to clean.
    if (storageFailureOf(error) !== undefined) return true;
    throw error;
  }
}

const oneDay = 24 * 60 * 60 * 1000;

/** Whether a run is under way. One on another host is, for as long as its journal shows signs of life. */
export function isOpenRun(
  { root }: Store,
  { run, now }: { readonly run: RunRecord; readonly now: Date },
): boolean {
  if (run.outcome !== 'running') return false;
  if (isOnThisHost(run.process)) return true;
  const seen = statSync(join(root, runPath(run.run)), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return now.getTime() - seen < oneDay;
}
