import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from './store.ts';
import { storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

const oneDay = 24 * 60 * 60 * 1000;

/** Removes what killed processes left half-written. Nothing younger than a day goes: it may still be written to. */
export async function sweepTemporary(store: Store, now: Date): Promise<void> {
  const folder = join(store.root, storeLayout.temporary);
  for (const name of await readdir(folder)) {
    try {
      const { mtimeMs } = await lstat(join(folder, name));
      if (now.getTime() - mtimeMs > oneDay) await rm(join(folder, name), { recursive: true, force: true });
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) throw error;
    }
  }
}
