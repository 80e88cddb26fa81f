import { readFile, stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { UserError } from '../../core/index.ts';
import {
  blobFile,
  contentState,
  type Digest,
  isFolderDigest,
  type Job,
  manifestOf,
  parseDigest,
  parseManifest,
  readManifest,
  readSource,
  type StageReport,
  type Store,
} from '../../runtime/index.ts';
import { IncomingBlob, ofBytes, pieceBytes, readPiece } from './blobs.ts';
import type { WorkerConnection } from './connection.ts';

/** Where the bytes of a blob are on this machine. */
type BlobBytes = { readonly path: string; readonly size: number } | { readonly text: string };

/** How many messages are on their way at a time. */
const window = 8;
/** How many digests one question names. */
const batch = 5000;

interface Watching {
  readonly store: Store;
  readonly signal: AbortSignal;
  readonly report: (report: StageReport) => void;
}

/** Sends blobs to a worker and fetches them, each digest once at a time. */
export class BlobTransfer {
  readonly #connection: WorkerConnection;
  readonly #sending = new Map<Digest, Promise<void>>();

  constructor(connection: WorkerConnection) {
    this.#connection = connection;
  }

  /** Sends what the worker lacks of some contents. */
  async send(
    contents: Job['contents'],
    { store, texts, signal, report }: Watching & { readonly texts: ReadonlyMap<Digest, string> },
  ): Promise<void> {
    const blobs = new Map<Digest, BlobBytes>();
    for (const { digest, source } of contents.values()) await addBlobs(blobs, { digest, source, store });
    for (const [digest, text] of texts) blobs.set(digest, { text });
    const missing = new Set<Digest>();
    for (const part of inBatches([...blobs.keys()], batch))
      for (const digest of listIn((await this.#connection.call('missing', { digests: part })).value))
        if (blobs.has(digest)) missing.add(digest);
    const total = [...missing].reduce((sum, digest) => sum + sizeOf(blobs.get(digest)), 0);
    let done = 0;
    const onBytes = (bytes: number): void => {
      done += bytes;
      report({ type: 'progress', unit: 'byte', done, total });
    };
    await eachOf([...missing], signal, async (digest) => {
      const bytes = blobs.get(digest);
      if (bytes === undefined) return;
      const sending = this.#sending.get(digest) ?? this.#sendOne(digest, bytes, { signal, onBytes });
      this.#sending.set(digest, sending);
      await sending.finally(() => this.#sending.delete(digest));
    });
  }

  async #sendOne(
    digest: Digest,
    bytes: BlobBytes,
    { signal, onBytes }: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
  ): Promise<void> {
    const size = sizeOf(bytes);
    const received = Number((await this.#connection.call('received', { digest })).value);
    // The last messages before an interruption may have overtaken each other.
    const safe = Math.min(Number.isFinite(received) ? received : 0, size) - window * pieceBytes;
    const start = Math.max(0, Math.floor(safe / pieceBytes) * pieceBytes);
    onBytes(start);
    await eachOf(offsets(start, size), signal, async (offset) => {
      const piece =
        'text' in bytes
          ? Buffer.from(bytes.text).subarray(offset, offset + pieceBytes)
          : (await readPiece(bytes.path, offset)).subarray(0, size - offset);
      await this.#connection.call('write', { digest, offset }, piece);
      onBytes(piece.length);
    });
    await this.#connection.call('finish', { digest, size });
  }

  /** Fetches what the store lacks of a content. Every byte is hashed here. */
  async fetch(digest: Digest, watching: Watching): Promise<void> {
    const { store, signal } = watching;
    if ((await contentState(store, digest)) === 'present') return;
    await this.#fetchBlob(digest, watching);
    if (!isFolderDigest(digest)) return;
    // Names that leave the folder, and sizes that are none, are refused here.
    const files = parseManifest(await readFile(blobFile(store, digest), 'utf8'));
    await eachOf([...new Set(files.map((file) => file.digest))], signal, async (file) => {
      if ((await contentState(store, file)) !== 'present') await this.#fetchBlob(file, watching);
    });
  }

  async #fetchBlob(digest: Digest, { store, signal, report }: Watching): Promise<void> {
    const total = Number((await this.#connection.call('size', { digest })).value);
    if (!Number.isSafeInteger(total) || total < 0) throw new Error('the worker gives no size');
    const incoming = new IncomingBlob(store, digest);
    let done = 0;
    await eachOf(offsets(0, total), signal, async (offset) => {
      const { bytes } = await this.#connection.call('piece', { digest, offset });
      const wanted = Math.min(pieceBytes, total - offset);
      if (bytes.length !== wanted) throw shortPiece(digest);
      await incoming.write(bytes, offset);
      done += bytes.length;
      report({ type: 'progress', unit: 'byte', done, total });
    });
    await incoming.finish(total);
  }
}

const shortPiece = (digest: Digest): UserError =>
  new UserError({ code: 'other-bytes', message: `less came of ${digest} than the worker said` });

/** The blobs that a content consists of. */
async function addBlobs(
  blobs: Map<Digest, BlobBytes>,
  {
    digest,
    source,
    store,
  }: { readonly digest: Digest; readonly source: string | undefined; readonly store: Store },
): Promise<void> {
  if (source === undefined) {
    const path = blobFile(store, digest);
    const bytes = await sizedFile(path);
    blobs.set(ofBytes(digest), bytes);
    if (!isFolderDigest(digest)) return;
    for (const file of readManifest(store, digest))
      blobs.set(file.digest, { path: blobFile(store, file.digest), size: file.size });
    return;
  }
  const read = await readSource(source, store.statCache);
  for (const [path, { digest: file, stat }] of read.files) blobs.set(file, { path, size: Number(stat.size) });
  if (!isFolderDigest(digest)) return;
  const rows = [...read.files].map(([path, file]) => ({
    path: relative(read.folder, path).split(sep).join('/'),
    digest: file.digest,
    size: Number(file.stat.size),
  }));
  blobs.set(ofBytes(digest), { text: manifestOf(rows).bytes });
}

async function sizedFile(path: string): Promise<BlobBytes> {
  return { path, size: (await stat(path)).size };
}

const sizeOf = (bytes: BlobBytes | undefined): number =>
  bytes === undefined ? 0 : 'text' in bytes ? Buffer.byteLength(bytes.text) : bytes.size;

const offsets = (start: number, size: number): readonly number[] =>
  Array.from(
    { length: Math.max(0, Math.ceil((size - start) / pieceBytes)) },
    (_, index) => start + index * pieceBytes,
  );

const listIn = (value: unknown): readonly Digest[] =>
  Array.isArray(value) ? value.flatMap((each) => parseDigest(each) ?? []) : [];

function* inBatches<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

/** Handles items in order, a few at a time; the first error, or the signal, ends it. */
async function eachOf<Item>(
  items: readonly Item[],
  signal: AbortSignal,
  handle: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const work = async (): Promise<void> => {
    for (const item of rest) {
      signal.throwIfAborted();
      await handle(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(window, items.length) }, work));
}
