import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { link, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryPath } from '../store/atomic-write.ts';
import type { Store } from '../store/store.ts';
import { storeLayout } from '../store/store-layout.ts';
import { hasErrorCode } from '../store/system-error.ts';
import { type Holding, resultHoldings } from './holdings.ts';
import type { Collection } from './plan-collection.ts';
import { entriesOf, extentOf, type StoredBlob, statOf } from './walk.ts';

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

/** Takes links out of the readable view that lead nowhere any more, and the folders that this empties. */
function sweepViews({ root }: Store): void {
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
