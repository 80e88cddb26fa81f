import { statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { CacheKey } from '../key/cache-key.ts';
import type { Store } from './store.ts';
import { actionPath } from './store-layout.ts';
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
