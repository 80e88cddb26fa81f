import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Digest, parseDigest, sha256 } from '../key/digest.ts';
import { CachedFolder, countIn, encodeIdentities } from './cached-folder.ts';
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
  readonly #sources: Sources;
  /** The folders that this run used, the most recent last. */
  readonly #used = new Map<string, CachedFolder>();
  /** The paths of the source folders that this run used. */
  readonly #usedSources = new Set<string>();
  readonly #freshSources = new Map<string, FolderSource>();

  private constructor({ root, most }: { root: string; most: number }) {
    this.#root = root;
    this.#most = most;
    ({ folders: this.#encoded, sources: this.#sources } = readStatCache(join(root, storeLayout.statCache)));
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

  /** The digest of a folder with many files, if its files have the names and stats that they had when it was remembered. */
  findFolder(path: string, files: FolderFiles): Digest | undefined {
    const known = this.#freshSources.get(path) ?? this.#sources.get(path);
    if (known === undefined || known.seen !== seenOf(files)) return undefined;
    this.#usedSources.add(path);
    return known.digest;
  }

  /** Each of the files must be one that can be remembered alone. */
  rememberFolder(path: string, folder: FolderFiles & { readonly digest: Digest }): void {
    this.#usedSources.add(path);
    this.#freshSources.set(path, { seen: seenOf(folder), digest: folder.digest });
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
    if (changed.length + this.#freshSources.size === 0 || !existsSync(this.#root)) return;
    const path = join(this.#root, storeLayout.statCache);
    const stored = readStatCache(path);
    const folders = new Map(stored.folders);
    for (const [name, folder] of this.#used) {
      const others = folders.get(name) ?? this.#encoded.get(name);
      folders.delete(name);
      const encoded = folder.isChanged ? folder.encodeOver(CachedFolder.decode(others)) : others;
      if (encoded !== undefined) folders.set(name, encoded);
    }
    const sources = new Map([...stored.sources, ...this.#freshSources]);
    for (const each of sources.keys()) {
      if (sources.size <= mostSources) break;
      if (!this.#usedSources.has(each)) sources.delete(each);
    }
    const content = encodeStatCache({ folders: this.#bounded(folders), sources });
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
      if (!this.#isUsed(name)) kept.delete(name);
    }
    return kept;
  }

  /** A source whose digest was found as a whole has used the folders below it as well. */
  #isUsed(name: string): boolean {
    return this.#used.has(name) || [...this.#usedSources].some((path) => name.startsWith(path));
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

const magic = 'tuneloom stat cache 3\n';
const sealLength = 64;
/** How many source folders are kept beside those of the present run. */
const mostSources = 1000;

/** Encoded folders by their paths, the most recently used last. */
type EncodedFolders = ReadonlyMap<string, Buffer>;

/** The files of a folder and of those below it. */
interface FolderFiles {
  /** Relative paths, sorted. */
  readonly inside: readonly string[];
  /** In the same order; fewer if a file is gone. */
  readonly stats: Iterable<FileIdentity>;
}

interface FolderSource {
  /** A hash of the names and stats of its files. */
  readonly seen: string;
  readonly digest: Digest;
}

/** Folders by their paths. */
type Sources = ReadonlyMap<string, FolderSource>;

// No name holds a NUL.
const seenOf = ({ inside, stats }: FolderFiles): string =>
  sha256(Buffer.concat([Buffer.from(`${inside.join('\0')}\0\0`), encodeIdentities(inside.length, stats)]));

interface StoredCache {
  readonly folders: EncodedFolders;
  readonly sources: Sources;
}

/**
 * Reads a cache's file; empty if it is missing or damaged. Parses only its table of contents: each folder has its own
 * seal, and most are never used.
 */
function readStatCache(path: string): StoredCache {
  const none: StoredCache = { folders: new Map(), sources: new Map() };
  try {
    const bytes = readFileSync(path);
    const headerAt = magic.length + sealLength + 1;
    const headerEnd = bytes.indexOf('\n', headerAt);
    const header = bytes.toString('utf8', headerAt, headerEnd);
    const seal = bytes.toString('latin1', magic.length, headerAt - 1);
    if (bytes.toString('latin1', 0, magic.length) !== magic || sha256(header) !== seal) return none;
    // The seal is intact, so this is the table as written.
    const table = JSON.parse(header) as {
      readonly folders: readonly (readonly [folder: string, length: number])[];
      readonly sources: readonly (readonly [folder: string, seen: string, digest: string])[];
    };
    let at = headerEnd + 1;
    const folders = new Map(
      table.folders.map(([folder, length]) => {
        at += length;
        return [folder, bytes.subarray(at - length, at)] as const;
      }),
    );
    const sources = table.sources.flatMap(([folder, seen, text]) => {
      const digest = parseDigest(text);
      return digest === undefined ? [] : [[folder, { seen, digest }] as const];
    });
    return { folders, sources: new Map(sources) };
  } catch {
    return none;
  }
}

/** The bytes of a cache's file. */
function encodeStatCache({ folders, sources }: StoredCache): Buffer {
  const header = JSON.stringify({
    folders: [...folders].map(([folder, { length }]) => [folder, length]),
    sources: [...sources].map(([folder, { seen, digest }]) => [folder, seen, digest]),
  });
  return Buffer.concat([Buffer.from(`${magic}${sha256(header)}\n${header}\n`), ...folders.values()]);
}
