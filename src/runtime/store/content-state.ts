import { type Digest, hexOf, isFolderDigest } from '../key/digest.ts';
import { type FoundBlob, findBlob } from './find-blob.ts';
import { findManifest } from './folder-manifest.ts';
import { hashFiles } from './hash-files.ts';
import type { Store, WantedContent } from './store.ts';

export type ContentState =
  | 'present'
  /** A remote that has it is known, and not all of its bytes are here. */
  | 'remote'
  | 'missing'
  | 'damaged';

/**
 * Whether every byte of a content can be read. Hashes only files that have changed since they were last hashed. `remote`
 * names the remote that its record came from.
 */
export async function contentState(store: Store, digest: Digest, remote?: string): Promise<ContentState> {
  const state = await stateHere(store, digest);
  return state === 'present' || remote === undefined ? state : 'remote';
}

/**
 * The state of a content that is about to be read: one that is not all here is brought from a remote first, if the store
 * asks remotes.
 */
export async function broughtState(
  store: Store,
  content: WantedContent,
): Promise<Exclude<ContentState, 'remote'>> {
  const state = await stateHere(store, content.digest);
  if (state === 'present' || store.bring === undefined) return state;
  await store.bring([content]);
  return await stateHere(store, content.digest);
}

async function stateHere(store: Store, digest: Digest): Promise<Exclude<ContentState, 'remote'>> {
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
async function blobsState(
  store: Store,
  digests: readonly Digest[],
): Promise<Exclude<ContentState, 'remote'>> {
  const unknown: { readonly digest: Digest; readonly blob: FoundBlob }[] = [];
  for (const digest of digests) {
    const blob = findBlob(store, digest);
    if (blob === undefined) return 'missing';
    if (blob.known === undefined) unknown.push({ digest, blob });
    else if (hexOf(blob.known) !== hexOf(digest)) return 'damaged';
  }
  if (unknown.length === 0) return 'present';
  const results = await hashFiles(unknown.map(({ blob }) => blob.path));
  for (const [index, result] of results.entries()) {
    if (!result.ok) throw result.error;
    const hashed = unknown[index];
    if (hashed === undefined) continue;
    hashed.blob.remember(result.value);
    if (hexOf(result.value.digest) !== hexOf(hashed.digest)) return 'damaged';
  }
  return 'present';
}
