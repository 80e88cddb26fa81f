import { renameSync, statSync } from 'node:fs';
import { chmod, lstat, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolders, UserError } from '../../core/index.ts';
import { type Digest, digestOf, hexOf } from '../key/digest.ts';
import { type FolderFile, isInnerPath, manifestOf } from './folder-manifest.ts';
import { type HashedFile, hashHandle } from './hash-file.ts';
import { listFiles } from './list-files.ts';
import type { Store } from './store.ts';
import { makeFolder, syncFolder } from './store-file.ts';
import { blobPath } from './store-layout.ts';
import { temporaryPath } from './temporary.ts';

/**
 * Moves a finished file or folder into the store and returns its digest. Files on another file system and files with other
 * links are copied. What was at `path` must not be used again.
 */
export async function ingest(store: Store, path: string): Promise<Digest> {
  const found = await stat(path);
  if (found.isDirectory()) return ingestFolder(store, path);
  // Reading from anything else might never end.
  if (!found.isFile()) throw new Error(`${path} is neither a file nor a folder`);
  return (await ingestFile(store, path)).digest;
}

async function ingestFolder(store: Store, folder: string): Promise<Digest> {
  const files: FolderFile[] = [];
  const paths = await listFiles(folder);
  const unusable = paths.find((path) => !isInnerPath(path));
  if (unusable !== undefined) throw unusableName(unusable);
  for (const path of paths) {
    const { digest, size } = await ingestFile(store, join(folder, path));
    files.push({ path, digest, size });
  }
  const { bytes, digest } = manifestOf(files);
  const temporary = await temporaryPath(store.root);
  await writeSynced(temporary, bytes);
  await fileUnder(store, { digest, temporary });
  return digest;
}

const unusableName = (path: string): UserError =>
  new UserError({
    code: 'unusable-name',
    message: `a folder in the store cannot hold \`${path}\`: on other systems its name would be a path`,
    help: 'name files without a backslash, and not like `C:`',
  });

async function ingestFile(store: Store, path: string): Promise<{ digest: Digest; size: number }> {
  const temporary = await temporaryPath(store.root);
  try {
    const { digest, stat } = (await isOnlyOurs(path))
      ? await adopt(path, temporary)
      : await copy(path, temporary);
    await fileUnder(store, { digest, temporary });
    return { digest, size: Number(stat.size) };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Through a link, or a second name for the same bytes, they could change after they were hashed. */
async function isOnlyOurs(path: string): Promise<boolean> {
  const found = await lstat(path);
  return found.isFile() && found.nlink === 1;
}

async function adopt(path: string, temporary: string): Promise<HashedFile> {
  await rename(path, temporary);
  await using handle = await open(temporary, 'r');
  const hashed = await hashHandle(handle, path);
  await handle.sync();
  return hashed;
}

async function copy(path: string, temporary: string): Promise<HashedFile> {
  await using source = await open(path, 'r');
  await using target = await open(temporary, 'wx');
  const hashed = await hashHandle(source, path, target);
  await target.sync();
  return hashed;
}

async function writeSynced(path: string, bytes: string): Promise<void> {
  await using handle = await open(path, 'wx');
  await handle.writeFile(bytes);
  await handle.sync();
}

/**
 * Moves a synced file to its place under its digest, read-only. Replaces equal bytes as well: that makes the blob new, so
 * that a gc which found it unused before does not remove it.
 */
export async function fileUnder(
  store: Store,
  { digest, temporary }: { readonly digest: Digest; readonly temporary: string },
): Promise<void> {
  const path = join(store.root, blobPath(digest));
  await makeFolder(dirname(path));
  // Read-only, with no permissions that the file did not have.
  await chmod(temporary, (await stat(temporary)).mode & 0o444);
  await rename(temporary, path);
  await syncFolder(dirname(path));
  rememberBlob(store, digest);
}

/**
 * As fileUnder, for a file that is read-only and need not survive a power failure, since a remote has it. Synchronous: a
 * folder may have thousands of small files, and a rename takes less time than handing it to another thread.
 */
export async function fileReceived(
  store: Store,
  { digest, temporary }: { readonly digest: Digest; readonly temporary: string },
): Promise<void> {
  const path = join(store.root, blobPath(digest));
  await makeFolders(dirname(path));
  renameSync(temporary, path);
  rememberBlob(store, digest);
}

function rememberBlob(store: Store, blob: Digest): void {
  const path = blobPath(blob);
  const digest = digestOf('file', hexOf(blob));
  store.statCache.remember(path, { stat: statSync(join(store.root, path), { bigint: true }), digest });
}
