import type { StoredBlob } from './walk.ts';

/** Counts the results that use each blob, while results are released one after another. */
export class UseCounts {
  readonly allBytes: number;
  readonly #blobs: ReadonlyMap<string, StoredBlob>;
  readonly #counts = new Map<string, number>();
  /** Blobs that are kept although no result needs them. */
  readonly #held = new Set<string>();
  #used = 0;

  constructor(
    blobs: ReadonlyMap<string, StoredBlob>,
    results: Iterable<{ readonly blobs: readonly string[] }>,
  ) {
    this.#blobs = blobs;
    this.allBytes = [...blobs.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const result of results)
      for (const hex of result.blobs) this.#counts.set(hex, (this.#counts.get(hex) ?? 0) + 1);
    for (const hex of this.#counts.keys()) this.#used += this.#bytes(hex);
  }

  /** The bytes of those blobs that nothing else uses. */
  ownBytes(blobs: readonly string[]): number {
    return blobs.reduce((sum, hex) => sum + (this.#counts.get(hex) === 1 ? this.#bytes(hex) : 0), 0);
  }

  /** Releases a result's blobs; returns the bytes that nothing uses anymore. */
  release(blobs: readonly string[]): number {
    let freed = 0;
    for (const hex of blobs) {
      const count = (this.#counts.get(hex) ?? 0) - 1;
      this.#counts.set(hex, count);
      if (count === 0 && !this.#held.has(hex)) freed += this.#bytes(hex);
    }
    this.#used -= freed;
    return freed;
  }

  /** Keeps blobs that are wanted without a result or too young to remove. */
  settle({ wanted, young }: { readonly wanted: Iterable<string>; readonly young: number }): void {
    const kept = new Set(wanted);
    for (const [hex, { filedAt, bytes }] of this.#blobs) {
      if (!kept.has(hex) && filedAt <= young) continue;
      this.#held.add(hex);
      if ((this.#counts.get(hex) ?? 0) === 0) this.#used += bytes;
    }
  }

  usedBytes(): number {
    return this.#used;
  }

  /** The blobs that nothing needs. */
  unused(): ReadonlyMap<string, StoredBlob> {
    return new Map(
      [...this.#blobs].filter(([hex]) => (this.#counts.get(hex) ?? 0) === 0 && !this.#held.has(hex)),
    );
  }

  #bytes(hex: string): number {
    return this.#blobs.get(hex)?.bytes ?? 0;
  }
}
