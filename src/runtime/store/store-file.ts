import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolders } from '../../core/index.ts';
import { hasErrorCode } from './system-error.ts';
import { temporaryPath } from './temporary.ts';

interface AtomicFile {
  /** The store's root, whose temporary folder is on the same file system. */
  readonly root: string;
  /** Absolute. */
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Whether it must survive a power failure. */
  readonly durable: boolean;
}

/** Replaces a file: a reader finds either the whole old content or the whole new one. */
export async function writeAtomically(file: AtomicFile): Promise<void> {
  const temporary = await writeTemporary(file);
  try {
    await rename(temporary, file.path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (file.durable) await syncFolder(dirname(file.path));
}

/** Creates a file; false, with nothing written, if it exists already. */
export async function createAtomically(file: AtomicFile): Promise<boolean> {
  const temporary = await writeTemporary(file);
  try {
    await link(temporary, file.path);
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST')) return false;
    // Without hard links, a rename is atomic but not exclusive.
    if (!hasErrorCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error;
    await rename(temporary, file.path);
  } finally {
    await rm(temporary, { force: true });
  }
  if (file.durable) await syncFolder(dirname(file.path));
  return true;
}

/** Creates a folder so that it survives a power failure. */
export async function makeFolder(path: string): Promise<void> {
  const first = await makeFolders(path);
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function writeTemporary(file: AtomicFile): Promise<string> {
  await makeFolder(dirname(file.path));
  const temporary = await temporaryPath(file.root);
  try {
    await using handle = await open(temporary, 'wx');
    await handle.writeFile(file.content);
    if (file.durable) await handle.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return temporary;
}

/** Makes the names in a folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}
