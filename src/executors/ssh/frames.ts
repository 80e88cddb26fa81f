import type { Readable, Writable } from 'node:stream';
import { isObject } from '../../core/index.ts';

/** A message between this machine and a worker on another: JSON, and bytes beside it. */
export interface Frame {
  readonly head: Readonly<Record<string, unknown>>;
  readonly bytes: Uint8Array;
}

/** What a worker prints before its first frame: a login script may have printed before it. */
export const greeting = 'tuneloom-worker 1\n';

/** The most bytes of each half of a frame. */
const mostBytes = 64 << 20;

/** Writes a frame; resolves when the stream takes more. */
export async function writeFrame(to: Writable, { head, bytes }: Frame): Promise<void> {
  const text = Buffer.from(JSON.stringify(head));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(text.length, 0);
  lengths.writeUInt32BE(bytes.length, 4);
  const hasRoom = to.write(Buffer.concat([lengths, text, bytes]));
  if (hasRoom || to.destroyed) return;
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      to.off('drain', settle).off('close', settle).off('error', settle);
      resolve();
    };
    to.on('drain', settle).on('close', settle).on('error', settle);
  });
}

/** The frames of a stream, until it ends. Throws if it holds anything else. */
export async function* readFrames(from: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of from) {
    rest = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece]);
    while (rest.length >= 8) {
      const [headLength, length] = [rest.readUInt32BE(0), rest.readUInt32BE(4)];
      if (headLength > mostBytes || length > mostBytes) throw new Error('a frame is too long');
      const end = 8 + headLength + length;
      if (rest.length < end) break;
      const head: unknown = JSON.parse(rest.toString('utf8', 8, 8 + headLength));
      if (!isObject(head)) throw new Error('a frame has no head');
      yield { head, bytes: rest.subarray(8 + headLength, end) };
      rest = rest.subarray(end);
    }
  }
}

/** Skips what comes before the greeting; gives the rest of the stream, or the text if there is no greeting. */
export async function afterGreeting(from: Readable): Promise<AsyncIterable<Uint8Array> | string> {
  const pieces = from[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let seen: Buffer = Buffer.alloc(0);
  for (;;) {
    const next = await pieces.next();
    if (next.done) return seen.toString();
    seen = Buffer.concat([seen, next.value]);
    const at = seen.indexOf(greeting);
    if (at !== -1) return restOf(seen.subarray(at + greeting.length), pieces);
    if (seen.length > 1 << 16) return seen.toString('utf8', 0, 2000);
  }
}

async function* restOf(first: Uint8Array, pieces: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value;
}
