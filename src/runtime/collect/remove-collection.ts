import { link, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryPath } from '../store/atomic-write.ts';
import type { Store } from '../store/store.ts';
import { hasErrorCode } from '../store/system-error.ts';
import type { StoredBlob } from './blob-sizes.ts';
import type { Holding } from './holding.ts';
import type { Collection } from './plan-collection.ts';
import { resultHoldings } from './result-holdings.ts';
import { sweepViews } from './sweep-views.ts';
import { extentOf, statOf } from './walk.ts';

/** What gc did remove. */
export interface Removal {
  readonly removed: readonly Holding[];
  readonly blobs: number;
  /** Of blobs and of everything else together. */
  readonly bytes: number;
  /** What was used between the plan and its turn, and so was left. */
  readonly spared: number;
}

/**
 * Removes what a plan says, records before the blobs that they stand for: whoever is killed between the two leaves blobs
 * that the next gc finds. Whatever was used since the plan was made stays, and so do the blobs that it needs.
 */
export async function removeCollection(
  store: Store,
  { goes, blobs }: Collection,
  onProgress: (done: number) => void = () => {},
): Promise<Removal> {
  const removed: Holding[] = [];
  let bytes = 0;
  for (const holding of goes) {
    if (!(await removeUnused(store, holding))) continue;
    removed.push(holding);
    if (holding.kind !== 'result') bytes += holding.bytes;
  }
  // What runs that began meanwhile have put on record, and what was put back.
  const needed = new Set([...resultHoldings(store)].flatMap((result) => result.blobs));
  let done = 0;
  for (const [hex, blob] of blobs) {
    if (needed.has(hex) || !(await removeBlob(store, blob))) continue;
    bytes += blob.bytes;
    done += 1;
    if (done % 1000 === 0) onProgress(done);
  }
  sweepViews(store);
  await store.statCache.save();
  return { removed, blobs: done, bytes, spared: goes.length - removed.length };
}

/** Takes it aside first: what turns out to have been used after all gets its place back. */
async function removeUnused(store: Store, { path, usedAt, kind }: Holding): Promise<boolean> {
  const place = join(store.root, path);
  if (kind === 'temporary') {
    await rm(place, { recursive: true, force: true });
    return true;
  }
  // Of a folder that several may be writing to, nothing is taken aside that is in use.
  if (extentOf(place).usedAt !== usedAt) return false;
  const aside = await temporaryPath(store.root);
  if (!(await moved(place, aside))) return false;
  if (extentOf(aside).usedAt === usedAt) {
    await rm(aside, { recursive: true, force: true });
    return true;
  }
  if (!(await moved(aside, place))) await rm(aside, { recursive: true, force: true });
  return false;
}

/** A blob that has been filed anew since is another file under the same name. */
async function removeBlob(store: Store, { path, inode }: StoredBlob): Promise<boolean> {
  const place = join(store.root, path);
  if (statOf(place)?.ino !== inode) return false;
  const aside = await temporaryPath(store.root);
  if (!(await moved(place, aside))) return false;
  const isSame = statOf(aside)?.ino === inode;
  if (isSame) store.statCache.forget(path);
  else
    await link(aside, place).catch((error: unknown) => {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
    });
  await rm(aside, { force: true });
  return isSame;
}

async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'EEXIST', 'ENOTEMPTY')) return false;
    throw error;
  }
}
