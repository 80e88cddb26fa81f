import { type BigIntStats, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, hexOf, isFolderDigest } from '../key/digest.ts';
import { findManifest } from './folder-manifest.ts';
import { hashFiles } from './hash-files.ts';
import type { Store } from './store.ts';
import { blobPath } from './store-layout.ts';

export type ContentState = 'present' | 'missing' | 'damaged';

/** Whether every byte of a content can be read. Hashes only files that have changed since they were last hashed. */
export async function contentState(store: Store, digest: Digest): Promise<ContentState> {
  const state = await blobsState(store, [digest]);
  if (state !== 'present' || !isFolderDigest(digest)) return state;
  const files = findManifest(store, digest);
  if (files === undefined) return 'damaged';
  return await blobsState(
    store,
    files.map((file) => file.digest),
  );
}

/** The state of the first blob that cannot be read; `present` if all can. Of a folder's blob, only the manifest counts. */
async function blobsState(store: Store, digests: readonly Digest[]): Promise<ContentState> {
  const unknown: Digest[] = [];
  for (const digest of digests) {
    const blob = blobPath(digest);
    const stat = statOf(join(store.root, blob));
    if (stat === undefined) return 'missing';
    const known = store.statCache.find(blob, stat);
    if (known === undefined) unknown.push(digest);
    else if (hexOf(known) !== hexOf(digest)) return 'damaged';
  }
  if (unknown.length === 0) return 'present';
  const results = await hashFiles(unknown.map((digest) => join(store.root, blobPath(digest))));
  for (const [index, result] of results.entries()) {
    if (!result.ok) throw result.error;
    const digest = unknown[index];
    if (digest === undefined) continue;
    store.statCache.remember(blobPath(digest), result.value);
    if (hexOf(result.value.digest) !== hexOf(digest)) return 'damaged';
  }
  return 'present';
}

// Synchronous, since a plan of thousands of stages makes this small call for each.
const statOf = (path: string): BigIntStats | undefined =>
  statSync(path, { bigint: true, throwIfNoEntry: false });
