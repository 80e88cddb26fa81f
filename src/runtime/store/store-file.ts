import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../key/digest.ts';
import { storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

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

/** A new name in the store's temporary folder, which is created if needed. */
export async function temporaryPath(root: string): Promise<string> {
  await mkdir(join(root, storeLayout.temporary), { recursive: true });
  return join(root, storeLayout.temporary, randomUUID());
}

/** A new empty folder in the store's temporary folder. */
export async function makeTemporaryFolder(root: string): Promise<string> {
  const path = await temporaryPath(root);
  await mkdir(path);
  return path;
}

/** Creates a folder so that it survives a power failure. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
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

const seal = /,\n "seal": "([0-9a-f]{64})"\n\}\n$/;

/** Adds a last field to the text of a JSON object: the hash of everything before it. */
export function sealJson(text: string): string {
  const body = text.slice(0, text.lastIndexOf('}')).trimEnd();
  return `${body},\n "seal": "${sha256(body)}"\n}\n`;
}

/** Parses a JSON text. Throws a SyntaxError if it is invalid or its seal is broken. */
export function parseSealed(text: string): unknown {
  const found = seal.exec(text);
  if (found !== null && sha256(text.slice(0, found.index)) !== found[1])
    throw new SyntaxError('the seal is broken');
  return JSON.parse(text);
}
