import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type Digest, digestOf } from './digest.ts';

/** A file's digest, with the stat that was the same before and after it was read. */
export interface HashedFile {
  readonly digest: Digest;
  readonly stat: BigIntStats;
}

const chunkBytes = 1 << 20;

/** Hashes a file in one pass of bounded memory. Throws FileChangedError where somebody writes to it meanwhile. */
export async function hashFile(path: string): Promise<HashedFile> {
  await using handle = await open(path, 'r');
  return await hashHandle(handle, path);
}

/** As hashFile, through a handle that stands at the file's beginning; what was read goes to `copy` as well. */
export async function hashHandle(handle: FileHandle, path: string, copy?: FileHandle): Promise<HashedFile> {
  const before = await handle.stat({ bigint: true });
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(Number(before.size < chunkBytes ? before.size + 1n : BigInt(chunkBytes)));
  for (;;) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length);
    if (bytesRead === 0) break;
    const bytes = chunk.subarray(0, bytesRead);
    hash.update(bytes);
    await copy?.writeFile(bytes);
  }
  const stat = await handle.stat({ bigint: true });
  if (stat.size !== before.size || stat.mtimeNs !== before.mtimeNs) throw new FileChangedError(path);
  return { digest: digestOf('file', hash.digest('hex')), stat };
}

/** A file was written to while it was read. */
export class FileChangedError extends Error {
  override readonly name = 'FileChangedError';
  readonly path: string;

  constructor(path: string) {
    super(`${path} changed while it was read`);
    this.path = path;
  }
}
