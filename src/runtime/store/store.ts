import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StatCache } from './stat-cache.ts';

/** Where artifacts, records and runs are kept. Its folder comes into being with the first run. */
export interface Store {
  /** Absolute. */
  readonly root: string;
  readonly statCache: StatCache;
}

/** Opens the store at an absolute path; writes nothing. */
export function openStore(root: string): Store {
  return { root, statCache: StatCache.open(root) };
}

/** Makes the store's folder where there is none, and keeps what it will hold out of version control. */
export async function createStore({ root }: Store): Promise<void> {
  if (existsSync(root)) return;
  await mkdir(root, { recursive: true });
  try {
    await writeFile(join(root, '.gitignore'), '*\n');
  } catch (error) {
    // The next run is to find no store, or a whole one.
    await rm(root, { recursive: true });
    throw error;
  }
}
