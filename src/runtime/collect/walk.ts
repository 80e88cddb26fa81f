import { lstatSync, type Stats } from 'node:fs';
import { join, sep } from 'node:path';
import type { Store } from '../store/store.ts';
import { entriesOf, storeLayout } from '../store/store-layout.ts';

/** Paths, from `root`, of the files in `folder/<two digits>/`, which is where blobs and records are. */
export function* filedIn(root: string, folder: string): Generator<string> {
  for (const shelf of entriesOf(join(root, folder)))
    if (shelf.isDirectory())
      for (const file of entriesOf(join(root, folder, shelf.name)))
        if (file.isFile()) yield join(folder, shelf.name, file.name);
}

/** Undefined if it is gone. Does not follow links. */
export const statOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

/** The bytes of all files at or below a path, and the time of the last change of any of them. */
export function extentOf(path: string): { readonly bytes: number; readonly usedAt: number } {
  const stat = statOf(path);
  if (stat === undefined) return { bytes: 0, usedAt: 0 };
  if (!stat.isDirectory()) return { bytes: stat.size, usedAt: stat.mtimeMs };
  const inside = entriesOf(path).map(({ name }) => extentOf(join(path, name)));
  return inside.reduce(
    (sum, { bytes, usedAt }) => ({ bytes: sum.bytes + bytes, usedAt: Math.max(sum.usedAt, usedAt) }),
    { bytes: 0, usedAt: stat.mtimeMs },
  );
}

export interface StoredBlob {
  readonly path: string;
  readonly bytes: number;
  /** The time of its renaming into place (ctime), which no program can set. */
  readonly filedAt: number;
  /** Distinguishes it from a blob that is stored under the same digest later. */
  readonly inode: number;
}

/** Every blob by its hexadecimal digest. */
export function storedBlobs({ root }: Store): ReadonlyMap<string, StoredBlob> {
  const blobs = new Map<string, StoredBlob>();
  for (const path of filedIn(root, storeLayout.blobs)) {
    const stat = statOf(join(root, path));
    const hex = path.split(sep).slice(-2).join('');
    if (stat !== undefined && /^[0-9a-f]{64}$/.test(hex))
      blobs.set(hex, { path, bytes: stat.size, filedAt: stat.ctimeMs, inode: stat.ino });
  }
  return blobs;
}
