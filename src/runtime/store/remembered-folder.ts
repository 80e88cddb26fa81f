import { createHash } from 'node:crypto';
import { type Digest, digestOf, hexOf } from './digest.ts';
import type { FileIdentity, HashedFile } from './hash-file.ts';

/** A row: size, mtime, ctime and inode in eight bytes each, then the digest. */
const identityBytes = 32;
const digestBytes = 32;
const rowBytes = identityBytes + digestBytes;
const sealBytes = 32;
const countBytes = 4;

/**
 * What is known of the files in one folder. Encoded it is a seal, the number of files, their rows and their names; of
 * that as little is decoded as is asked for, because there may be 100,000 files.
 */
export class RememberedFolder {
  readonly #rows: Buffer;
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #fresh = new Map<string, Buffer>();
  readonly #forgotten = new Set<string>();

  private constructor(rows: Buffer, names: readonly string[]) {
    this.#rows = rows;
    this.#indexes = new Map(names.map((name, index) => [name, index]));
  }

  /** Nothing is known where the bytes are not as they were written. */
  static decode(encoded: Buffer = Buffer.alloc(0)): RememberedFolder {
    const body = encoded.subarray(sealBytes);
    if (encoded.length < sealBytes + countBytes || !encoded.subarray(0, sealBytes).equals(sealOf(body)))
      return new RememberedFolder(Buffer.alloc(0), []);
    const namesAt = countBytes + body.readUInt32LE() * rowBytes;
    const names: unknown = JSON.parse(body.toString('utf8', namesAt));
    // Sealed, so it is the list that was written.
    return new RememberedFolder(body.subarray(countBytes, namesAt), names as readonly string[]);
  }

  get isChanged(): boolean {
    return this.#fresh.size + this.#forgotten.size > 0;
  }

  get names(): readonly string[] {
    return [...new Set([...this.#indexes.keys(), ...this.#fresh.keys()])].filter(
      (name) => !this.#forgotten.has(name),
    );
  }

  /** The digest of the file, if it is still the one that was remembered. */
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

  /** All that is known here, over what another process knows of the same folder. */
  encodeOver(others: RememberedFolder): Buffer {
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

/** Times can be negative, or centuries away: of each number 64 bits count. */
const identityOf = ({ size, mtimeNs, ctimeNs, ino }: FileIdentity): readonly bigint[] =>
  [size, mtimeNs, ctimeNs, ino].map((value) => BigInt.asUintN(64, value));

/** How many files an encoded folder holds. */
export const countIn = (encoded: Buffer): number =>
  encoded.length < sealBytes + countBytes ? 0 : encoded.readUInt32LE(sealBytes);

const sealOf = (body: Buffer): Buffer => createHash('sha256').update(body).digest();
