import { createHash } from 'node:crypto';

/**
 * A reproducible stream of random numbers, keyed by its purpose: equal keys give equal streams on every platform.
 * xoshiro128** (Blackman and Vigna, 2018), seeded with the first 16 bytes of SHA-256 over the key's JSON. Uniform numbers
 * are exact everywhere; normal ones use Math.log, Math.sin and Math.cos, whose last bit may differ between versions of
 * the JavaScript engine.
 */
export class RandomStream {
  readonly #state: Uint32Array;
  #spareNormal: number | undefined;

  constructor(key: readonly (string | number)[]) {
    const digest = createHash('sha256').update(JSON.stringify(key)).digest();
    this.#state = Uint32Array.from({ length: 4 }, (_, word) => digest.readUInt32LE(4 * word));
  }

  /** Uniform in [0, 1), in steps of 2^-32. */
  uniform(): number {
    return this.#next() / 2 ** 32;
  }

  /** Standard normal, by the Box-Muller transform. */
  normal(): number {
    const spare = this.#spareNormal;
    if (spare !== undefined) {
      this.#spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  #next(): number {
    const state = this.#state;
    // Destructuring would take ten times as long.
    const s0 = state[0] ?? 0;
    const s1 = state[1] ?? 0;
    const s2 = state[2] ?? 0;
    const s3 = state[3] ?? 0;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    state[2] = s2 ^ s0;
    state[3] = s3 ^ s1;
    state[1] = s1 ^ s2 ^ s0;
    state[0] = s0 ^ s3 ^ s1;
    state[2] = s2 ^ s0 ^ (s1 << 9);
    state[3] = rotateLeft(s3 ^ s1, 11);
    return result;
  }
}

const rotateLeft = (word: number, by: number): number => (word << by) | (word >>> (32 - by));
