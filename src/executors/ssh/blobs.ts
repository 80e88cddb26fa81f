import { constants, existsSync } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders, UserError } from '../../core/index.ts';
import {
  blobFile,
  contentState,
  type Digest,
  digestOf,
  downloadPath,
  hexOf,
  ingest,
  type Store,
} from '../../runtime/index.ts';

/** The bytes that one message carries. */
export const pieceBytes = 1 << 20;

/** The digest of a blob's own bytes: of a folder, those of its manifest. */
export const ofBytes = (digest: Digest): Digest => digestOf('file', hexOf(digest));

/** Those of some blobs that a store lacks; a damaged one counts as missing. */
export async function missingBlobs(store: Store, digests: readonly Digest[]): Promise<readonly Digest[]> {
  const missing: Digest[] = [];
  for (const digest of digests)
    if ((await contentState(store, ofBytes(digest))) !== 'present') missing.push(digest);
  return missing;
}

/** A blob that is received in pieces, and goes on after an interruption. */
export class IncomingBlob {
  readonly #store: Store;
  readonly #digest: Digest;
  readonly #path: string;

  constructor(store: Store, digest: Digest) {
    this.#store = store;
    this.#digest = ofBytes(digest);
    // Beside unfinished downloads, which a run removes when nobody goes on with them.
    this.#path = join(store.root, downloadPath(`blob ${this.#digest}`), 'part');
  }

  /** How many bytes are here already. */
  async received(): Promise<number> {
    return existsSync(this.#path) ? (await stat(this.#path)).size : 0;
  }

  async write(piece: Uint8Array, offset: number): Promise<void> {
    await makeFolders(join(this.#path, '..'));
    await using file = await open(this.#path, constants.O_RDWR | constants.O_CREAT);
    await file.write(piece, 0, piece.length, offset);
  }

  /** Moves the whole blob into the store. Throws, and discards it, if its bytes are not those of its digest. */
  async finish(size: number): Promise<void> {
    if ((await contentState(this.#store, this.#digest)) === 'present') return;
    if (size === 0) await this.write(new Uint8Array(), 0);
    await using file = await open(this.#path, 'r+');
    await file.truncate(size);
    await file.close();
    const found = await ingest(this.#store, this.#path);
    await rm(join(this.#path, '..'), { recursive: true, force: true });
    if (found !== this.#digest)
      throw new UserError({
        code: 'other-bytes',
        message: `the bytes that came for ${this.#digest} have the digest ${found}`,
        help: 'run again; if that repeats, `tuneloom verify` says whether a store is damaged',
      });
  }
}

/** A piece of a blob in a store, or of any file. */
export async function readPiece(path: string, offset: number): Promise<Uint8Array> {
  await using file = await open(path);
  const piece = Buffer.allocUnsafe(pieceBytes);
  const { bytesRead } = await file.read(piece, 0, piece.length, offset);
  return piece.subarray(0, bytesRead);
}

export const blobSize = async (store: Store, digest: Digest): Promise<number> =>
  (await stat(blobFile(store, digest))).size;
