import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { link, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Store } from '../store/store.ts';
import { entriesOf, storeLayout } from '../store/store-layout.ts';
import { hasErrorCode } from '../store/system-error.ts';
import { temporaryPath } from '../store/temporary.ts';
import { type Holding, resultHoldings } from './holdings.ts';
import type { Collection } from './plan-collection.ts';
import { extentOf, type StoredBlob, statOf } from './walk.ts';

/** What gc removed. */
export interface Removal {
  readonly removed: readonly Holding[];
  readonly blobs: number;
  /** Of blobs and everything else. */
  readonly bytes: number;
  /** The number of things kept because they were used after the plan was made. */
  readonly spared: number;
}

/**
 * Removes what a plan lists, records before their blobs: if gc is killed in between, the next one finds the blobs. What was
 * used since the plan was made stays, with the blobs that it needs.
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
  // Includes records written meanwhile, and those that were put back.
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

/** Moves it aside first, and back if it was used meanwhile. */
async function removeUnused(store: Store, { path, usedAt }: Holding): Promise<boolean> {
  const place = join(store.root, path);
  if (dirname(path) === storeLayout.temporary) {
    await rm(place, { recursive: true, force: true });
    return true;
  }
  // A folder that is in use is not moved: several processes may be writing to it.
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

/** A blob that was stored again since the plan has another inode, and stays. */
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

/** Removes broken links from the readable view, and the folders that become empty. */
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
  // A folder that was empty before is being filled by another process.
  if (entries.length > 0 && entriesOf(folder).length === 0) removeEmpty(folder);
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    // Another process has added something to it or moved it.
    if (!hasErrorCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}
