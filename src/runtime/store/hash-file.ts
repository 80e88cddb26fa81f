import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type Digest, digestOf } from '../key/digest.ts';

/** The fields of a file's stat that show whether it has changed. */
export type FileIdentity = Pick<BigIntStats, 'size' | 'mtimeNs' | 'ctimeNs' | 'ino'>;

/** A file's digest, with its stat, which was the same before and after reading. */
export interface HashedFile {
  readonly digest: Digest;
  readonly stat: FileIdentity;
}

const chunkBytes = 1 << 20;

/** A buffer large enough to reach a small file's end with the first read. */
export const chunkFor = ({ size }: FileIdentity): Buffer =>
  Buffer.allocUnsafe(Number(size < chunkBytes ? size + 1n : BigInt(chunkBytes)));

/** Whether a file's bytes may have changed. */
export const hasChanged = (before: FileIdentity, after: FileIdentity): boolean =>
  after.size !== before.size || after.mtimeNs !== before.mtimeNs;

/** Whether a path still names the same file with the same times. */
export const isSameFile = (before: FileIdentity, after: FileIdentity): boolean =>
  !hasChanged(before, after) && after.ctimeNs === before.ctimeNs && after.ino === before.ino;

/**
 * Whether a file or folder has been written to, replaced or removed. The change time tells what restores content and
 * modification time. An inode's number alone tells nothing: some file systems renumber files.
 */
export const wasTouched = (before: FileIdentity, after: FileIdentity | undefined): boolean =>
  after === undefined || hasChanged(before, after) || after.ctimeNs !== before.ctimeNs;

/** Hashes a file in one pass with bounded memory. Throws FileChangedError if the file is written to meanwhile. */
export async function hashFile(path: string): Promise<HashedFile> {
  await using handle = await open(path, 'r');
  return await hashHandle(handle, path);
}

/** As hashFile, through a handle at the file's beginning; also writes the bytes to `copy`. */
export async function hashHandle(handle: FileHandle, path: string, copy?: FileHandle): Promise<HashedFile> {
  const before = await handle.stat({ bigint: true });
  const hash = createHash('sha256');
  const read = async (chunk: Buffer): Promise<Buffer> =>
    chunk.subarray(0, (await handle.read(chunk, 0, chunk.length)).bytesRead);
  const chunks = { present: chunkFor(before), next: chunkFor(before) };
  for (let bytes = await read(chunks.present); bytes.length > 0; ) {
    // The next bytes are read while these are hashed.
    const following = read(chunks.next);
    hash.update(bytes);
    const [next] = await Promise.all([following, copy?.writeFile(bytes)]);
    [chunks.present, chunks.next] = [chunks.next, chunks.present];
    bytes = next;
  }
  const stat = await handle.stat({ bigint: true });
  if (hasChanged(before, stat)) throw new FileChangedError(path);
  return { digest: digestOf('file', hash.digest('hex')), stat };
}

/** A file changed while it was read. */
export class FileChangedError extends Error {
  override readonly name = 'FileChangedError';
  readonly path: string;

  constructor(path: string) {
    super(`${path} changed while it was read`);
    this.path = path;
  }
}
