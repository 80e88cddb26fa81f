import { type BigIntStats, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../key/digest.ts';
import type { HashedFile } from './hash-file.ts';
import type { Store } from './store.ts';
import { blobPath } from './store-layout.ts';

/** A blob's file in a store or in one below it. */
export interface FoundBlob {
  /** Absolute. */
  readonly path: string;
  readonly stat: BigIntStats;
  /** Its digest, if it was hashed before and has not changed since. */
  readonly known: Digest | undefined;
  readonly remember: (file: HashedFile) => void;
}

/** A blob, from the first store that has it. */
export function findBlob(store: Store, digest: Digest): FoundBlob | undefined {
  const inside = blobPath(digest);
  const path = join(store.root, inside);
  const stat = statOf(path);
  if (stat !== undefined)
    return {
      path,
      stat,
      known: store.statCache.find(inside, stat),
      remember: (file) => store.statCache.remember(inside, file),
    };
  for (const lower of store.below) {
    const path = join(lower.root, inside);
    const stat = statOf(path);
    // What this store learns of one that it may not write to, it remembers itself.
    if (stat !== undefined)
      return {
        path,
        stat,
        known: lower.statCache.find(inside, stat) ?? store.statCache.find(path, stat),
        remember: (file) => store.statCache.remember(path, file),
      };
  }
  return undefined;
}

/** The absolute path of a blob in the first store that has it; where no store has it, its place in the upper one. */
export function blobFile({ root, below }: Store, digest: Digest): string {
  const inside = blobPath(digest);
  const path = join(root, inside);
  if (below.length === 0 || existsSync(path)) return path;
  return below.map((lower) => join(lower.root, inside)).find((lower) => existsSync(lower)) ?? path;
}

// Synchronous, since a plan of thousands of stages makes this small call for each.
const statOf = (path: string): BigIntStats | undefined =>
  statSync(path, { bigint: true, throwIfNoEntry: false });
