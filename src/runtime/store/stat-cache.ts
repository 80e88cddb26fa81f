import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Digest, digestOf, hexOf, sha256 } from '../key/digest.ts';
import type { FileIdentity, HashedFile } from './hash-file.ts';
import { writeAtomically } from './store-file.ts';
import { storeLayout } from './store-layout.ts';
import { storageFailureOf } from './system-error.ts';

/**
 * Maps a file's size, times and inode to its digest, so that no file is hashed twice. It only saves work: a lost or torn
 * cache costs hashing, never correctness.
 */
export class StatCache {
  readonly #root: string;
  readonly #most: number;
  readonly #encoded: EncodedFolders;
  /** The folders that this run used, the most recent last. */
  readonly #used = new Map<string, CachedFolder>();

  private constructor({ root, most }: { root: string; most: number }) {
    this.#root = root;
    this.#most = most;
    this.#encoded = readStatCache(join(root, storeLayout.statCache));
  }

  /** `most`: the number of files kept. Files in the present run's folders are always kept. */
  static open(root: string, most = 200_000): StatCache {
    return new StatCache({ root, most });
  }

  /** The digest of the file at `path`, if the file has not changed. */
  find(path: string, stat: FileIdentity): Digest | undefined {
    const { folder, name } = this.#placeOf(path);
    return folder.find(name, stat);
  }

  /** `stat` was taken both before and after the file was hashed. */
  remember(path: string, file: HashedFile): void {
    const { folder, name } = this.#placeOf(path);
    folder.remember(name, file);
  }

  forget(path: string): void {
    const { folder, name } = this.#placeOf(path);
    folder.forget(name);
  }

  /**
   * Writes new entries, and keeps those that another process has written meanwhile. Does not create a store. A store that
   * is full or read-only keeps its old cache.
   */
  async save(): Promise<void> {
    const changed = [...this.#used].filter(([, folder]) => folder.isChanged);
    if (changed.length === 0 || !existsSync(this.#root)) return;
    const path = join(this.#root, storeLayout.statCache);
    const folders = new Map(readStatCache(path));
    for (const [name, folder] of this.#used) {
      const others = folders.get(name) ?? this.#encoded.get(name);
      folders.delete(name);
      const encoded = folder.isChanged ? folder.encodeOver(CachedFolder.decode(others)) : others;
      if (encoded !== undefined) folders.set(name, encoded);
    }
    const content = encodeStatCache(this.#bounded(folders));
    try {
      await writeAtomically({ root: this.#root, path, content, durable: false });
      for (const [name] of changed) this.#used.set(name, CachedFolder.decode(folders.get(name)));
    } catch (error) {
      if (storageFailureOf(error) === undefined) throw error;
    }
  }

  /** If there are too many files, drops those that no longer exist, then the folders used longest ago. */
  #bounded(folders: EncodedFolders): EncodedFolders {
    if (filesIn(folders) <= this.#most) return folders;
    const kept = new Map([...folders].map(([name, encoded]) => [name, this.#withoutMissing(name, encoded)]));
    for (const name of folders.keys()) {
      if (filesIn(kept) <= this.#most) break;
      if (!this.#used.has(name)) kept.delete(name);
    }
    return kept;
  }

  #withoutMissing(name: string, encoded: Buffer): Buffer {
    const folder = CachedFolder.decode(encoded);
    for (const file of folder.names) if (!existsSync(resolve(this.#root, name, file))) folder.forget(file);
    return folder.isChanged ? folder.encodeOver(CachedFolder.decode(encoded)) : encoded;
  }

  #placeOf(path: string): { readonly folder: CachedFolder; readonly name: string } {
    const at = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
    const parent = path.slice(0, at + 1);
    const folder = this.#used.get(parent) ?? CachedFolder.decode(this.#encoded.get(parent));
    if (!this.#used.has(parent)) this.#used.set(parent, folder);
    return { folder, name: path.slice(at + 1) };
  }
}

const filesIn = (folders: EncodedFolders): number =>
  [...folders.values()].reduce((sum, encoded) => sum + countIn(encoded), 0);

const magic = 'tuneloom stat cache 2\n';
const sealLength = 64;

/** Encoded folders by their paths, the most recently used last. */
type EncodedFolders = ReadonlyMap<string, Buffer>;

/**
 * Reads a cache's file; empty if it is missing or damaged. Parses only its table of contents: each folder has its own
 * seal, and most are never used.
 */
function readStatCache(path: string): EncodedFolders {
  try {
    const bytes = readFileSync(path);
    const headerAt = magic.length + sealLength + 1;
    const headerEnd = bytes.indexOf('\n', headerAt);
    const header = bytes.toString('utf8', headerAt, headerEnd);
    const seal = bytes.toString('latin1', magic.length, headerAt - 1);
    if (bytes.toString('latin1', 0, magic.length) !== magic || sha256(header) !== seal) return new Map();
    // The seal is intact, so this is the table as written.
    const table = JSON.parse(header) as readonly (readonly [folder: string, length: number])[];
    let at = headerEnd + 1;
    return new Map(
      table.map(([folder, length]) => {
        at += length;
        return [folder, bytes.subarray(at - length, at)] as const;
      }),
    );
  } catch {
    return new Map();
  }
}

/** The bytes of a cache's file. */
function encodeStatCache(folders: EncodedFolders): Buffer {
  const header = JSON.stringify([...folders].map(([folder, { length }]) => [folder, length]));
  return Buffer.concat([Buffer.from(`${magic}${sha256(header)}\n${header}\n`), ...folders.values()]);
}

/** A row: size, mtime, ctime and inode in eight bytes each, then the digest. */
const identityBytes = 32;
const digestBytes = 32;
const rowBytes = identityBytes + digestBytes;
const sealBytes = 32;
const countBytes = 4;

/**
 * The cached files of one folder. Its encoding is a seal, the number of files, their rows and their names. Rows are decoded
 * on demand, since there may be 100,000 files.
 */
class CachedFolder {
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

/** Times can be negative or centuries away: 64 bits of each number count. */
const identityOf = ({ size, mtimeNs, ctimeNs, ino }: FileIdentity): readonly bigint[] =>
  [size, mtimeNs, ctimeNs, ino].map((value) => BigInt.asUintN(64, value));

/** How many files an encoded folder holds. */
const countIn = (encoded: Buffer): number =>
  encoded.length < sealBytes + countBytes ? 0 : encoded.readUInt32LE(sealBytes);

const sealOf = (body: Buffer): Buffer => createHash('sha256').update(body).digest();
