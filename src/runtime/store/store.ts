import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../../core/index.ts';
import type { Digest } from '../key/digest.ts';
import { StatCache } from './stat-cache.ts';

/** Holds artifacts, records and runs. Its folder is created by the first run. */
export interface Store {
  /** Absolute. */
  readonly root: string;
  readonly statCache: StatCache;
  /** Stores of others that are only read, in the order in which they are searched after this one. */
  readonly below: readonly Store[];
  /** Brings contents here that only a remote has; what no remote gives stays missing. Absent: remotes are not asked. */
  readonly bring?: (contents: readonly WantedContent[]) => Promise<void>;
}

/** A content that somebody needs the bytes of. */
export interface WantedContent {
  readonly digest: Digest;
  /** What users call it: `train.model`. */
  readonly name: string;
  /** The remote that gave its record, which is asked first. */
  readonly remote?: string | undefined;
}

/** The store and those below it, in the order in which they are searched. */
export const chainOf = (store: Store): readonly Store[] => [store, ...store.below];

/** Opens the store at an absolute path, and those below it that are only read; writes nothing. */
export function openStore(root: string, below: readonly string[] = []): Store {
  return { root, statCache: StatCache.open(root), below: below.map((each) => openStore(each)) };
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
