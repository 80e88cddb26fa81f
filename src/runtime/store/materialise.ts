import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Digest, isFolderDigest } from './digest.ts';
import { readManifest } from './folder-manifest.ts';
import type { Store } from './store.ts';
import { blobPath } from './store-layout.ts';

/** Lays a folder of the store out at `destination`, which must not exist, as links to its read-only blobs. */
export async function materialiseFolder(
  store: Store,
  folder: { digest: Digest; destination: string },
): Promise<void> {
  await mkdir(folder.destination, { recursive: true });
  for (const file of readManifest(store, folder.digest)) {
    const path = join(folder.destination, ...file.path.split('/'));
    await mkdir(dirname(path), { recursive: true });
    await symlink(join(store.root, blobPath(file.digest)), path);
  }
}

/** A content of the store as a path to read from, for as long as it is held. */
export interface OpenContent extends AsyncDisposable {
  /** Absolute; a file, or a folder of links. */
  readonly path: string;
}

/** Opens a content for reading. Throws where it is not in the store: ask contentState first. */
export async function openContent(store: Store, digest: Digest): Promise<OpenContent> {
  if (!isFolderDigest(digest))
    return { path: join(store.root, blobPath(digest)), async [Symbol.asyncDispose]() {} };
  // Not in the store, which may be one that can only be read.
  const held = await mkdtemp(join(tmpdir(), 'tuneloom-open-'));
  const path = join(held, 'content');
  await materialiseFolder(store, { digest, destination: path });
  return { path, [Symbol.asyncDispose]: () => rm(held, { recursive: true, force: true }) };
}
