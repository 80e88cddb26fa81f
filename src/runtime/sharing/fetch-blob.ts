import { createHash, type Hash } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../../core/index.ts';
import { digestOf } from '../key/digest.ts';
import { parseCacheKey } from '../key/key-material.ts';
import { contentState } from '../store/content-state.ts';
import { fileReceived, fileUnder } from '../store/ingest.ts';
import { takeLease } from '../store/lease.ts';
import type { Store } from '../store/store.ts';
import { storeLayout } from '../store/store-layout.ts';
import { temporaryPath } from '../store/temporary.ts';
import { type RemoteContent, RemoteFailure, type RemoteObject, type RemoteStore } from './remote-store.ts';

/** Limits the time in which a remote has to begin an answer. */
export type WithinTime = <Value>(
  signal: AbortSignal,
  question: (signal: AbortSignal) => Promise<Value>,
) => Promise<Value>;

interface BlobFetch {
  /** 64 hexadecimal digits. */
  readonly hex: string;
  /** In bytes, where a manifest says it. */
  readonly size: number | undefined;
  readonly remote: RemoteStore;
  readonly signal: AbortSignal;
  readonly within: WithinTime;
  /** Called with the number of bytes that have arrived since the last call. */
  readonly onBytes: (count: number) => void;
  /** Called with the size once the remote says it. */
  readonly onSize: (size: number) => void;
}

export type FetchedBlob =
  | 'here'
  /** The remote has no such blob. */
  | 'absent'
  /** The remote sent other bytes, twice if some were left from before. */
  | 'damaged';

/** Blobs of up to this size are not continued where a transfer broke off, and cost fewer files. */
const smallBytes = 8 * 2 ** 20;
/** Blobs of up to this size are gathered in memory. */
const tinyBytes = 2 ** 18;
/** The most bytes of a blob whose size nobody says: a remote could send without end. */
const mostUnannounced = 64 * 2 ** 30;
/** How often a transfer may break off without bringing anything. */
const mostTries = 4;

/** Brings a blob into the store. Its bytes are hashed as they arrive, and never visible before they are right. */
export async function fetchBlob(store: Store, fetch: BlobFetch): Promise<FetchedBlob> {
  const { size, onSize } = fetch;
  if (size !== undefined && size > smallBytes) return fetchLarge(store, fetch);
  for (let tries = 1; ; tries += 1) {
    const content = await get(fetch, 0);
    if (content === undefined) return 'absent';
    if (content.size !== undefined) onSize(content.size);
    // The first answer only tells the size: a part of the blob may be here.
    if (size === undefined && (content.size ?? smallBytes + 1) > smallBytes) {
      await content.bytes[Symbol.asyncIterator]().return?.();
      return fetchLarge(store, { ...fetch, size: content.size });
    }
    try {
      return await receiveSmall(store, { fetch, content });
    } catch (error) {
      if (!mayGoOn(error) || tries === mostTries) throw error;
    }
  }
}

const get = (fetch: Pick<BlobFetch, 'hex' | 'remote' | 'signal' | 'within'>, offset: number) =>
  fetch.within(fetch.signal, (signal) => fetch.remote.get(blobOf(fetch), { offset, signal }));

const blobOf = ({ hex }: Pick<BlobFetch, 'hex'>): RemoteObject => ({ kind: 'blob', digest: hex });

const mayGoOn = (error: unknown): boolean => error instanceof RemoteFailure && error.kind === 'interrupted';

async function receiveSmall(
  store: Store,
  { fetch, content }: { readonly fetch: BlobFetch; readonly content: RemoteContent },
): Promise<FetchedBlob> {
  requireStart(content);
  const { size = content.size ?? mostUnannounced } = fetch;
  const hash = createHash('sha256');
  const temporary = await temporaryPath(store.root);
  try {
    // Synchronous for the same reason as fileReceived.
    if (size <= tinyBytes) writeFileSync(temporary, await gather({ fetch, content, hash }), readOnly);
    else {
      await using file = await open(temporary, readOnly.flag, readOnly.mode);
      await receive({ fetch, content, file, hash });
    }
    const isRight = hash.digest('hex') === fetch.hex;
    if (isRight) await fileReceived(store, { digest: digestOf('file', fetch.hex), temporary });
    else await rm(temporary);
    return isRight ? 'here' : 'damaged';
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

const readOnly = { flag: 'wx', mode: 0o444 } as const;

async function gather(transfer: Omit<Transfer, 'file'>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const file = { writeFile: async (bytes: Uint8Array): Promise<void> => void chunks.push(bytes) };
  await receive({ ...transfer, file });
  return Buffer.concat(chunks);
}

/** A large blob arrives in `downloads/<hex>/part`, where an interrupted transfer is continued, in this process or another. */
async function fetchLarge(store: Store, fetch: BlobFetch): Promise<FetchedBlob> {
  const { hex, signal } = fetch;
  const digest = digestOf('file', hex);
  const key = parseCacheKey(hex);
  if (key === undefined) throw new RangeError(`not a digest: ${hex}`);
  // Two processes must not write to one part.
  await using _lease = await takeLease(store, { key, signal, onWait: () => {} });
  signal.throwIfAborted();
  if ((await contentState(store, digest)) === 'present') return 'here';
  const folder = join(store.root, storeLayout.downloads, hex);
  const part = join(folder, 'part');
  await makeFolders(folder);
  let isFresh = (await sizeOf(part)) === 0;
  for (;;) {
    const hash = await receiveAll(fetch, part);
    if (hash === undefined) return 'absent';
    if (hash.digest('hex') === hex) break;
    await rm(part, { force: true });
    // What was left from before may be of no use; a complete transfer has to be right.
    if (isFresh) return 'damaged';
    isFresh = true;
  }
  await fileUnder(store, { digest, temporary: part });
  await rm(folder, { recursive: true, force: true });
  return 'here';
}

/** Receives until everything is there, going on where the transfer broke off. Undefined if the remote lacks the blob. */
async function receiveAll(fetch: BlobFetch, part: string): Promise<Hash | undefined> {
  for (let tries = 1; ; tries += 1) {
    const before = await sizeOf(part);
    try {
      return await receiveRest(fetch, { part, before });
    } catch (error) {
      if (!mayGoOn(error)) throw error;
      if ((await sizeOf(part)) > before) tries = 1;
      if (tries === mostTries) throw error;
    }
  }
}

async function receiveRest(
  fetch: BlobFetch,
  { part, before }: { readonly part: string; readonly before: number },
): Promise<Hash | undefined> {
  const { size, onSize, onBytes } = fetch;
  if (size !== undefined && before === size) return hashOf(part, before);
  const isUsable = size === undefined || before < size;
  const content = await get(fetch, isUsable ? before : 0);
  if (content === undefined) return undefined;
  if (content.size !== undefined) onSize(content.size);
  const goesOn = content.offset > 0 && content.offset === before;
  const hash = goesOn ? await hashOf(part, before) : createHash('sha256');
  if (goesOn) onBytes(before);
  if (!goesOn) requireStart(content);
  await using file = await open(part, goesOn ? 'a' : 'w');
  await receive({ fetch, content, file, hash });
  await file.sync();
  return hash;
}

interface Transfer {
  readonly fetch: BlobFetch;
  readonly content: RemoteContent;
  /** What has arrived before ends where the content begins. */
  readonly file: { readonly writeFile: (bytes: Uint8Array) => Promise<void> };
  readonly hash: Hash;
}

/** Appends what arrives to a file and to a hash. Throws an `interrupted` RemoteFailure if it ends early. */
async function receive({ fetch, content, file, hash }: Transfer): Promise<void> {
  const { size = content.size, onBytes, signal } = fetch;
  const most = size ?? mostUnannounced;
  let arrived = content.offset;
  for await (const bytes of inPieces(content.bytes)) {
    signal.throwIfAborted();
    arrived += bytes.byteLength;
    if (arrived > most) throw refused('it sends more bytes than the file has');
    hash.update(bytes);
    await file.writeFile(bytes);
    onBytes(bytes.byteLength);
  }
  if (size !== undefined && arrived < size)
    throw new RemoteFailure({ kind: 'interrupted', message: 'a file arrived incomplete' });
}

const pieceBytes = 2 ** 20;

/** Joins chunks as a network gives them, since each write costs the same. If they break off, what has come comes first. */
async function* inPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let joined: Uint8Array[] = [];
  let bytes = 0;
  let failure: { readonly reason: unknown } | undefined;
  try {
    for await (const chunk of chunks) {
      joined.push(chunk);
      bytes += chunk.byteLength;
      if (bytes < pieceBytes) continue;
      yield Buffer.concat(joined);
      joined = [];
      bytes = 0;
    }
  } catch (reason) {
    failure = { reason };
  }
  if (bytes > 0) yield Buffer.concat(joined);
  if (failure !== undefined) throw failure.reason;
}

function requireStart({ offset }: RemoteContent): void {
  if (offset !== 0) throw refused('it sends another part of a file than was asked for');
}

const refused = (message: string): RemoteFailure => new RemoteFailure({ kind: 'refused', message });

async function hashOf(path: string, size: number): Promise<Hash> {
  const hash = createHash('sha256');
  if (size > 0)
    for await (const chunk of createReadStream(path, { end: size - 1, highWaterMark: 2 ** 20 }))
      hash.update(chunk);
  return hash;
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    (found) => found.size,
    () => 0,
  );
