import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UserError } from '../core/index.ts';

const chunkBytes = 256 * 1024;

/** The bytes of a file, unpacked if it is packed with gzip. Throws a UserError if that is damaged. */
export async function* readBytes(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  if (!(await isGzip(path))) return yield* file as AsyncIterable<Buffer>;
  // A reader that stops early also closes the file; errors come out of the last stream.
  const unpacked = pipeline(file, createGunzip({ chunkSize: chunkBytes }), () => {});
  try {
    yield* unpacked as AsyncIterable<Buffer>;
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && String(cause.code).startsWith('Z_'))) throw cause;
    throw new UserError({
      code: 'bad-gzip',
      message: `${path} is packed with gzip, but damaged: ${cause.message}`,
      help: 'copy or download it again',
      cause,
    });
  }
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read({ buffer: Buffer.alloc(gzipMark.length), position: 0 });
    return buffer.equals(gzipMark);
  } finally {
    await file.close();
  }
}

/** With deflate, gzip's only method. */
const gzipMark = Buffer.from([0x1f, 0x8b, 0x08]);
