import { type BigIntStats, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, hexOf, isFolderDigest } from './digest.ts';
import { findManifest } from './folder-manifest.ts';
import { hashFile } from './hash-file.ts';
import type { Store } from './store.ts';
import { blobPath } from './store-layout.ts';

export type ContentState = 'present' | 'missing' | 'damaged';

/** Whether a content can be read, every byte of it. Hashes only what is not known to be as it was when last hashed. */
export async function contentState(store: Store, digest: Digest): Promise<ContentState> {
  const state = await blobState(store, digest);
  if (state !== 'present' || !isFolderDigest(digest)) return state;
  const files = findManifest(store, digest);
  if (files === undefined) return 'damaged';
  for (const file of files) {
    const inner = await blobState(store, file.digest);
    if (inner !== 'present') return inner;
  }
  return 'present';
}

/** As contentState for one blob; a folder's files are not looked at. */
export async function blobState(store: Store, digest: Digest): Promise<ContentState> {
  const blob = blobPath(digest);
  const stat = statOf(join(store.root, blob));
  if (stat === undefined) return 'missing';
  const known = store.statCache.find(blob, stat);
  if (known !== undefined) return hexOf(known) === hexOf(digest) ? 'present' : 'damaged';
  const hashed = await hashFile(join(store.root, blob));
  store.statCache.remember(blob, hashed);
  return hexOf(hashed.digest) === hexOf(digest) ? 'present' : 'damaged';
}

// One small synchronous call: a plan of thousands of stages asks this of each, one after the other.
const statOf = (path: string): BigIntStats | undefined =>
  statSync(path, { bigint: true, throwIfNoEntry: false });
