import { statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { CacheKey } from '../key/cache-key.ts';
import type { Store } from './store.ts';
import { actionPath } from './store-layout.ts';
import { hasErrorCode, storageFailureOf } from './system-error.ts';

/** How far a record's time of use may lie behind, in milliseconds: a run with nothing to do writes nothing. */
export const useResolution = 60 * 60 * 1000;

/** Notes that a run used a record: its modification time says when that last happened, for gc alone. */
export function useRecord(store: Store, key: CacheKey, now: Date): void {
  const path = join(store.root, actionPath(key));
  try {
    if (now.getTime() - statSync(path).mtimeMs > useResolution) utimesSync(path, now, now);
  } catch (error) {
    // A store that can only be read is nobody's to clean; a record that has just gone is made again.
    if (storageFailureOf(error) === undefined && !hasErrorCode(error, 'ENOENT')) throw error;
  }
}
