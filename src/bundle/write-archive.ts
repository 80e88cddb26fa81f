import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { UserError } from '../core/index.ts';
import type { BundleMember } from './contents.ts';

/** A member with the hash and the size of its bytes. */
export interface MeasuredMember extends BundleMember {
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  readonly size: number;
}

/** Reads every member once. */
export async function measureMembers(members: readonly BundleMember[]): Promise<readonly MeasuredMember[]> {
  const measured: MeasuredMember[] = [];
  for (const member of members) measured.push({ ...member, ...(await measure(member)) });
  return measured;
}

async function measure({ content }: BundleMember): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of chunksOf(content)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { sha256: hash.digest('hex'), size };
}

function chunksOf(content: BundleMember['content']): AsyncIterable<Buffer> | Iterable<Buffer> {
  return 'text' in content ? [Buffer.from(content.text)] : createReadStream(content.file);
}

/**
 * Writes members as a zip archive, in their order; equal members give equal bytes on every machine. They are stored, not
 * compressed: weights do not shrink, and what zlib makes of the rest depends on its version. The file is there whole or
 * not at all. Throws a UserError if a member has changed since it was measured.
 */
export async function writeArchive(
  path: string,
  {
    members,
    onProgress,
  }: {
    readonly members: readonly MeasuredMember[];
    /** Called with the number of bytes written so far. */
    readonly onProgress: (bytes: number) => void;
  },
): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const zip = new ZipFile();
  const failed = new Promise<never>((_, reject) => zip.on('error', reject));
  let written = 0;
  for (const member of members) {
    const options = {
      // In the local time zone, which the format's dates are in.
      mtime: new Date(1980, 0, 1),
      forceDosTimestamp: true,
      compress: false,
      mode: member.executable ? 0o100755 : 0o100644,
      size: member.size,
    };
    const onChunk = (bytes: number): void => {
      written += bytes;
      onProgress(written);
    };
    zip.addReadStreamLazy(member.path, options, (give) =>
      give(null, Readable.from(checkedChunks(member, onChunk))),
    );
  }
  zip.end();
  try {
    const done = pipeline(zip.outputStream, createWriteStream(temporary, { flags: 'wx', flush: true }));
    await Promise.race([done, failed]);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function* checkedChunks(
  { path, content, sha256, size }: MeasuredMember,
  onChunk: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let read = 0;
  for await (const chunk of chunksOf(content)) {
    hash.update(chunk);
    read += chunk.length;
    onChunk(chunk.length);
    yield chunk;
  }
  if (read === size && hash.digest('hex') === sha256) return;
  throw new UserError({
    code: 'source-changed',
    message: `\`${path}\` changed while the bundle was written`,
    help: 'run the command again once nothing writes to it',
  });
}
