import { join, sep } from 'node:path';
import type { Store } from '../store/store.ts';
import { storeLayout } from '../store/store-layout.ts';
import { filedIn, statOf } from './walk.ts';

export interface StoredBlob {
  readonly path: string;
  readonly bytes: number;
  /** When it got its name: a clock that nobody sets. */
  readonly filedAt: number;
  /** Tells it apart from a blob that is filed under the same digest later. */
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
