import { existsSync } from 'node:fs';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestsAt, isFolderDigest } from '../key/digest.ts';
import type { ActionRecord } from './action-records.ts';
import { blobFile } from './find-blob.ts';
import { readManifest } from './folder-manifest.ts';
import { readResolutionFile } from './resolution.ts';
import { chainOf, type Store } from './store.ts';
import { actionPath, blobPath, storeLayout } from './store-layout.ts';
import { namesIn } from './sweep.ts';
import { hasErrorCode } from './system-error.ts';

/**
 * Makes results available in another store without copying their content: records and the resolutions of remote sources
 * are copied, blobs are links.
 */
export async function borrowResults(
  from: Store,
  { to, records }: { readonly to: Store; readonly records: readonly ActionRecord[] },
): Promise<void> {
  for (const { key, outputs } of records) {
    const path = actionPath(key);
    const holder = chainOf(from).find(({ root }) => existsSync(join(root, path)));
    if (holder !== undefined) await copy(path, { from: holder, to });
    for (const content of Object.values(outputs))
      for (const { digest } of digestsAt(content)) await borrow(digest, { from, to });
  }
  // An upper store's resolution is copied last, over one of a store below it.
  for (const holder of chainOf(from).toReversed())
    for (const name of await namesIn(join(holder.root, storeLayout.sources))) {
      if (!name.endsWith('.json')) continue;
      const path = join(storeLayout.sources, name);
      await copy(path, { from: holder, to });
      const digest = readResolutionFile(holder, path)?.resolution?.digest;
      if (digest !== undefined) await borrow(digest, { from, to });
    }
}

interface Stores {
  readonly from: Store;
  readonly to: Store;
}

async function borrow(digest: Digest, { from, to }: Stores): Promise<void> {
  const path = join(to.root, blobPath(digest));
  await mkdir(dirname(path), { recursive: true });
  try {
    await symlink(blobFile(from, digest), path);
    if (isFolderDigest(digest))
      for (const file of readManifest(from, digest)) await borrow(file.digest, { from, to });
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST', 'ENOENT')) throw error;
  }
}

async function copy(path: string, { from, to }: Stores): Promise<void> {
  await mkdir(dirname(join(to.root, path)), { recursive: true });
  await copyFile(join(from.root, path), join(to.root, path));
}
