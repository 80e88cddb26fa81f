import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../store/store.ts';
import { storeLayout } from '../store/store-layout.ts';
import { hasErrorCode } from '../store/system-error.ts';
import { entriesOf } from './walk.ts';

/** Takes links out of the readable view that lead nowhere any more, and the folders that this empties. */
export function sweepViews({ root }: Store): void {
  for (const { name } of entriesOf(join(root, storeLayout.outputs)))
    sweep(join(root, storeLayout.outputs, name));
}

function sweep(folder: string): void {
  const entries = entriesOf(folder);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sweep(path);
    else if (entry.isSymbolicLink() && !existsSync(path)) rmSync(path, { force: true });
  }
  // A folder that was empty from the beginning is somebody's at work.
  if (entries.length > 0 && entriesOf(folder).length === 0) removeEmpty(folder);
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    // A run beside this one has put something there, or has put all of it elsewhere.
    if (!hasErrorCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}
