import { readdirSync } from 'node:fs';
import { mkdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheKey } from '../key/key-material.ts';
import type { Store } from './store.ts';
import { attemptFiles, holdsLinks, storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

/** A folder that executions with different keys share: `memo/<key>` or `checkpoints/<key>`. */
interface KeptFolder {
  readonly kind: 'memo' | 'checkpoints';
  readonly key: CacheKey;
}

/** Creates the folder if needed, marks it as used and returns its absolute path. */
export async function openKeptFolder({ root }: Store, { kind, key }: KeptFolder): Promise<string> {
  const path = join(root, storeLayout[kind], key);
  // No stage keeps links: one in a store from elsewhere could make the stage write outside the store.
  if (holdsLinks(path)) await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  const now = new Date();
  await utimes(path, now, now);
  return path;
}

/** The names in the folder; none if there is no such folder. */
export function namesKept({ root }: Store, { kind, key }: KeptFolder): readonly string[] {
  return namesIn(join(root, storeLayout[kind], key));
}

/** Whether an attempt at a stage that did not finish left state from which the next one goes on. */
export function holdsSavedState({ root }: Store, key: CacheKey): boolean {
  const folder = join(root, storeLayout.state, key);
  return namesIn(folder).some((attempt) => namesIn(join(folder, attempt, attemptFiles.state)).length > 0);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
