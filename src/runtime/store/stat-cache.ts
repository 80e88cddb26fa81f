import { type BigIntStats, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeAtomically } from './atomic-write.ts';
import { type Digest, parseDigest } from './digest.ts';
import { parseSealed, sealJson } from './sealed-json.ts';
import { storeLayout } from './store-layout.ts';
import { storageFailureOf } from './system-error.ts';

/**
 * Remembers which digest a file had when its size, times and inode were what they are, so that nothing is hashed twice.
 * A mere saving of work: a lost or torn cache costs hashing, never correctness.
 */
export class StatCache {
  readonly #root: string;
  readonly #most: number;
  readonly #entries: Map<string, Entry>;
  #changed = false;

  private constructor({ root, most, entries }: { root: string; most: number; entries: Map<string, Entry> }) {
    this.#root = root;
    this.#most = most;
    this.#entries = entries;
  }

  /** `most`: how many files are remembered. */
  static open(root: string, most = 50_000): StatCache {
    return new StatCache({ root, most, entries: readEntries(join(root, storeLayout.statCache)) });
  }

  /** The digest of the file at `path`, if it is still the file that was remembered. */
  find(path: string, stat: BigIntStats): Digest | undefined {
    const entry = this.#entries.get(path);
    return entry !== undefined && entry.identity === identityOf(stat) ? entry.digest : undefined;
  }

  /** `stat` was taken both before and after the file was hashed. */
  remember(path: string, file: { readonly stat: BigIntStats; readonly digest: Digest }): void {
    // The order of a Map is that of insertion: what was looked at last stands last.
    this.#entries.delete(path);
    this.#entries.set(path, { identity: identityOf(file.stat), digest: file.digest });
    this.#changed = true;
  }

  forget(path: string): void {
    this.#changed = this.#entries.delete(path) || this.#changed;
  }

  /**
   * Writes what is new; makes no store where there is none. What another process wrote meanwhile is kept where this
   * one knows nothing of it. A store that is full or cannot be written keeps the cache that it has.
   */
  async save(): Promise<void> {
    if (!this.#changed || !existsSync(this.#root)) return;
    const path = join(this.#root, storeLayout.statCache);
    const merged = this.#bounded(new Map([...this.#writtenByOthers(path), ...this.#entries]));
    const lines = merged.map(([file, { identity, digest }]) => JSON.stringify([file, identity, digest]));
    const content = sealJson(`{"files":[\n${lines.join(',\n')}\n]}`);
    try {
      await writeAtomically({ root: this.#root, path, content, durable: false });
      this.#changed = false;
    } catch (error) {
      if (storageFailureOf(error) === undefined) throw error;
    }
  }

  /** What another process has written. */
  #writtenByOthers(path: string): readonly (readonly [string, Entry])[] {
    return [...readEntries(path)].filter(([file]) => !this.#entries.has(file));
  }

  /** Where there are too many entries, those whose files are gone go first, then the oldest. */
  #bounded(entries: ReadonlyMap<string, Entry>): readonly (readonly [string, Entry])[] {
    if (entries.size <= this.#most) return [...entries];
    return [...entries].filter(([file]) => existsSync(resolve(this.#root, file))).slice(-this.#most);
  }
}

interface Entry {
  readonly identity: string;
  readonly digest: Digest;
}

const identityOf = (stat: BigIntStats): string => `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}`;

function readEntries(path: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const row of readRows(path)) {
    if (!Array.isArray(row)) continue;
    const [file, identity, text] = row;
    const digest = parseDigest(text);
    if (typeof file === 'string' && typeof identity === 'string' && digest !== undefined) {
      entries.set(file, { identity, digest });
    }
  }
  return entries;
}

function readRows(path: string): readonly unknown[] {
  try {
    const { files }: { readonly files?: unknown } = Object(parseSealed(readFileSync(path, 'utf8')));
    return Array.isArray(files) ? files : [];
  } catch {
    return [];
  }
}
