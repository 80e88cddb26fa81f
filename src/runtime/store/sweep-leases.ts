import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { clearLease } from './lease.ts';
import { namesIn } from './names-in.ts';
import { mayBeAlive, parseProcessIdentity } from './process-identity.ts';
import type { Store } from './store.ts';
import { storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

/** A holder that lives, here or on another host, beats many times in this. */
const oneDay = 24 * 60 * 60 * 1000;

/** Removes the leases of processes that are gone, whose keys nobody may ask for again. */
export async function sweepLeases(store: Store, now: Date): Promise<void> {
  const folder = join(store.root, storeLayout.leases);
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    try {
      const text = await readFile(path, 'utf8');
      const holder = parseProcessIdentity(text);
      const lapsed = now.getTime() - (await stat(path)).mtimeMs > oneDay;
      const dead = holder !== undefined && !mayBeAlive(holder);
      if (lapsed || dead) await clearLease(store, { path, text });
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) throw error;
    }
  }
}
