const size = 624;
const shift = 397;

/**
 * Python's `random.Random(seed)` for whole seeds from 0 to 2^32 - 1: the Mersenne Twister (Matsumoto and Nishimura 1998,
 * seeded by an array) with CPython's `sample`, `choices` and `random`.
 */
export class PythonRandom {
  readonly #state = new Uint32Array(size);
  #index = size;

  constructor(seed: number) {
    const state = this.#state;
    state[0] = 19650218;
    for (let index = 1; index < size; index += 1) state[index] = mixed(state, index, 1812433253) + index;
    let index = 1;
    // The array that Python seeds with has one number, and the state is longer.
    for (let count = size; count > 0; count -= 1) {
      state[index] = ((state[index] ?? 0) ^ mixed(state, index, 1664525)) + seed;
      index = this.#wrapped(index + 1);
    }
    for (let count = size - 1; count > 0; count -= 1) {
      state[index] = ((state[index] ?? 0) ^ mixed(state, index, 1566083941)) - index;
      index = this.#wrapped(index + 1);
    }
    state[0] = 0x80000000;
  }

  /** Distinct indices below `population`, as `random.sample` draws them. */
  sample(population: number, count: number): readonly number[] {
    const setSize = 21 + (count > 5 ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
    if (population > setSize) {
      const chosen = new Set<number>();
      while (chosen.size < count) chosen.add(this.#below(population));
      return [...chosen];
    }
    const pool = Array.from({ length: population }, (_, index) => index);
    return Array.from({ length: count }, (_, done) => {
      const place = this.#below(population - done);
      const index = pool[place] ?? 0;
      pool[place] = pool[population - done - 1] ?? 0;
      return index;
    });
  }

  /** Indices below `population`, drawn with replacement, as `random.choices` draws them. */
  choices(population: number, into: Int32Array): void {
    for (let index = 0; index < into.length; index += 1)
      into[index] = Math.floor(this.#uniform() * population);
  }

  /** At least 0 and less than 1, with 53 random bits. */
  #uniform(): number {
    const high = this.#next() >>> 5;
    const low = this.#next() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  #below(limit: number): number {
    const bits = 32 - Math.clz32(limit);
    for (;;) {
      const drawn = this.#next() >>> (32 - bits);
      if (drawn < limit) return drawn;
    }
  }

  #next(): number {
    if (this.#index >= size) this.#renew();
    let value = this.#state[this.#index] ?? 0;
    this.#index += 1;
    value ^= value >>> 11;
    value ^= (value << 7) & 0x9d2c5680;
    value ^= (value << 15) & 0xefc60000;
    return (value ^ (value >>> 18)) >>> 0;
  }

  #renew(): void {
    const state = this.#state;
    for (let index = 0; index < size; index += 1) {
      const bits = ((state[index] ?? 0) & 0x80000000) | ((state[(index + 1) % size] ?? 0) & 0x7fffffff);
      state[index] = (state[(index + shift) % size] ?? 0) ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
    }
    this.#index = 0;
  }

  /** After the last place of the state comes its second, and the first is a copy of the last. */
  #wrapped(index: number): number {
    if (index < size) return index;
    this.#state[0] = this.#state[size - 1] ?? 0;
    return 1;
  }
}

const mixed = (state: Uint32Array, index: number, factor: number): number => {
  const before = state[index - 1] ?? 0;
  return Math.imul(before ^ (before >>> 30), factor);
};
