import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../../core/index.ts';
import { StatCache } from './stat-cache.ts';

/** Holds artifacts, records and runs. Its folder is created by the first run. */
export interface Store {
  /** Absolute. */
  readonly root: string;
  readonly statCache: StatCache;
}

/** Opens the store at an absolute path; writes nothing. */
export function openStore(root: string): Store {
  return { root, statCache: StatCache.open(root) };
}

/** Creates the store's folder if needed, with a .gitignore for all of its content. */
export async function createStore({ root }: Store): Promise<void> {
  if (existsSync(root)) return;
  await makeFolders(root);
  try {
    await writeFile(join(root, '.gitignore'), '*\n');
  } catch (error) {
    // The next run must find no store or a complete one.
    await rm(root, { recursive: true });
    throw error;
  }
}
