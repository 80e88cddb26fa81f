import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeAtomically } from './atomic-write.ts';
import { type Digest, parseDigest } from './digest.ts';
import type { FileIdentity } from './hash-file.ts';
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
  readonly #used = new Set<string>();
  #changed = false;

  private constructor({ root, most, entries }: { root: string; most: number; entries: Map<string, Entry> }) {
    this.#root = root;
    this.#most = most;
    this.#entries = entries;
  }

  /** `most`: how many files are remembered. Those of the present run all are, however many. */
  static open(root: string, most = 200_000): StatCache {
    return new StatCache({ root, most, entries: readEntries(join(root, storeLayout.statCache)) });
  }

  /** The digest of the file at `path`, if it is still the file that was remembered. */
  find(path: string, stat: FileIdentity): Digest | undefined {
    const entry = this.#entries.get(path);
    if (entry === undefined || entry.identity !== identityOf(stat)) return undefined;
    this.#used.add(path);
    return entry.digest;
  }

  /** `stat` was taken both before and after the file was hashed. */
  remember(path: string, file: { readonly stat: FileIdentity; readonly digest: Digest }): void {
    // The order of a Map is that of insertion: what was looked at last stands last.
    this.#entries.delete(path);
    this.#entries.set(path, { identity: identityOf(file.stat), digest: file.digest });
    this.#used.add(path);
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

  /** Where there are too many entries, those whose files are gone go first, then the oldest that this run did not use. */
  #bounded(entries: ReadonlyMap<string, Entry>): readonly (readonly [string, Entry])[] {
    if (entries.size <= this.#most) return [...entries];
    const used = [...entries].filter(([file]) => this.#used.has(file));
    const room = Math.max(0, this.#most - used.length);
    const others = [...entries].filter(
      ([file]) => !this.#used.has(file) && existsSync(resolve(this.#root, file)),
    );
    // What was used last stands last: it is the last to go.
    return [...others.slice(others.length - Math.min(room, others.length)), ...used];
  }
}

interface Entry {
  readonly identity: string;
  readonly digest: Digest;
}

const identityOf = (stat: FileIdentity): string => `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}`;

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
