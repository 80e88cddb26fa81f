import { createHash } from 'node:crypto';
import { type Digest, digestOf, hexOf } from '../key/digest.ts';
import type { FileIdentity, HashedFile } from './hash-file.ts';

/**
 * The cached files of one folder. Its encoding is a seal, the number of files, their rows and their names. Rows are decoded
 * on demand, since there may be 100,000 files.
 */
export class CachedFolder {
  readonly #rows: Buffer;
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #fresh = new Map<string, Buffer>();
  readonly #forgotten = new Set<string>();

  private constructor(rows: Buffer, names: readonly string[]) {
    this.#rows = rows;
    this.#indexes = new Map(names.map((name, index) => [name, index]));
  }

  /** Empty if the bytes are damaged. */
  static decode(encoded: Buffer = Buffer.alloc(0)): CachedFolder {
    const body = encoded.subarray(sealBytes);
    if (encoded.length < sealBytes + countBytes || !encoded.subarray(0, sealBytes).equals(sealOf(body)))
      return new CachedFolder(Buffer.alloc(0), []);
    const namesAt = countBytes + body.readUInt32LE() * rowBytes;
    const names: unknown = JSON.parse(body.toString('utf8', namesAt));
    // The seal is intact, so this is the list as written.
    return new CachedFolder(body.subarray(countBytes, namesAt), names as readonly string[]);
  }

  get isChanged(): boolean {
    return this.#fresh.size + this.#forgotten.size > 0;
  }

  get names(): readonly string[] {
    return [...new Set([...this.#indexes.keys(), ...this.#fresh.keys()])].filter(
      (name) => !this.#forgotten.has(name),
    );
  }

  /** The digest of the file, if it has not changed. */
  find(name: string, stat: FileIdentity): Digest | undefined {
    const row = this.#rowOf(name);
    if (
      row === undefined ||
      identityOf(stat).some((value, index) => row.readBigUInt64LE(index * 8) !== value)
    )
      return undefined;
    return digestOf('file', row.toString('hex', identityBytes, rowBytes));
  }

  remember(name: string, { stat, digest }: HashedFile): void {
    const row = Buffer.allocUnsafe(rowBytes);
    for (const [index, value] of identityOf(stat).entries()) row.writeBigUInt64LE(value, index * 8);
    row.write(hexOf(digest), identityBytes, 'hex');
    this.#fresh.set(name, row);
    this.#forgotten.delete(name);
  }

  forget(name: string): void {
    if (this.#rowOf(name) === undefined) return;
    this.#fresh.delete(name);
    this.#forgotten.add(name);
  }

  /** The entries of this folder, merged over those of another process. */
  encodeOver(others: CachedFolder): Buffer {
    const names = [...new Set([...others.names, ...this.names])].filter((name) => !this.#forgotten.has(name));
    const rows = names.map((name) => this.#fresh.get(name) ?? others.#rowOf(name) ?? this.#rowOf(name));
    const count = Buffer.alloc(countBytes);
    count.writeUInt32LE(names.length);
    const known = rows.filter((row) => row !== undefined);
    const body = Buffer.concat([count, ...known, Buffer.from(JSON.stringify(names))]);
    return Buffer.concat([sealOf(body), body]);
  }

  #rowOf(name: string): Buffer | undefined {
    if (this.#forgotten.has(name)) return undefined;
    const index = this.#indexes.get(name);
    const known =
      index === undefined ? undefined : this.#rows.subarray(index * rowBytes, (index + 1) * rowBytes);
    return this.#fresh.get(name) ?? known;
  }
}

/** A row: size, mtime, ctime and inode in eight bytes each, then the digest. */
const identityBytes = 32;
const digestBytes = 32;
const rowBytes = identityBytes + digestBytes;
const sealBytes = 32;
const countBytes = 4;

/** Times can be negative or centuries away: 64 bits of each number count. */
const identityOf = ({ size, mtimeNs, ctimeNs, ino }: FileIdentity): readonly bigint[] =>
  [size, mtimeNs, ctimeNs, ino].map((value) => BigInt.asUintN(64, value));

/** The identities of `count` files, in order, as bytes; zeros for those that are missing. */
export function encodeIdentities(count: number, stats: Iterable<FileIdentity>): Uint8Array {
  // Takes 64 bits of each number, as identityOf does, in a fifth of the time.
  const numbers = new BigUint64Array(count * 4);
  let at = 0;
  for (const { size, mtimeNs, ctimeNs, ino } of stats) {
    numbers[at] = size;
    numbers[at + 1] = mtimeNs;
    numbers[at + 2] = ctimeNs;
    numbers[at + 3] = ino;
    at += 4;
  }
  return new Uint8Array(numbers.buffer);
}

/** How many files an encoded folder holds. */
export const countIn = (encoded: Buffer): number =>
  encoded.length < sealBytes + countBytes ? 0 : encoded.readUInt32LE(sealBytes);

const sealOf = (body: Buffer): Buffer => createHash('sha256').update(body).digest();
