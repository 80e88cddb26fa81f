import { readdirSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ActionRecord } from './action-records.ts';
import { type Digest, digestOf, digestsAt, isFolderDigest } from './digest.ts';
import { readManifest } from './folder-manifest.ts';
import type { Store } from './store.ts';
import { actionPath, blobPath, storeLayout } from './store-layout.ts';
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
    await copyFile(actionPath(key), { from, to });
    for (const content of Object.values(outputs))
      for (const { digest } of digestsAt(content)) await borrow(digest, { from, to });
  }
  for (const name of namesIn(join(from.root, storeLayout.sources))) {
    const text = await copyFile(join(storeLayout.sources, name), { from, to });
    for (const hex of text.match(/\b[0-9a-f]{64}\b/g) ?? [])
      await borrow(digestOf(text.includes(`sha256-folder:${hex}`) ? 'folder' : 'file', hex), { from, to });
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
    await symlink(join(from.root, blobPath(digest)), path);
    if (isFolderDigest(digest))
      for (const file of readManifest(from, digest)) await borrow(file.digest, { from, to });
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST', 'ENOENT')) throw error;
  }
}

async function copyFile(path: string, { from, to }: Stores): Promise<string> {
  const text = await readFile(join(from.root, path), 'utf8');
  await mkdir(dirname(join(to.root, path)), { recursive: true });
  await writeFile(join(to.root, path), text);
  return text;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
}
