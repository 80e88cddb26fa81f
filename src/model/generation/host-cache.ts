import * as tf from '@tensorflow/tfjs-core';
import type { ModelSizes } from '../family.ts';
import type {
  CachedRow,
  CachePlace,
  CacheSizes,
  FreshKeyValues,
  KeyValueCache,
  RowKeyValues,
} from './key-value-cache.ts';

/** Keys and values on the host. A decode step adds a token per row in place, here or in the backend, and copies nothing. */
export class HostCache implements KeyValueCache {
  readonly #sizes: ModelSizes & CacheSizes;
  readonly #layers: readonly { readonly keys: Float32Array; readonly values: Float32Array }[];

  constructor(model: ModelSizes, sizes: CacheSizes) {
    this.#sizes = { ...model, ...sizes };
    const length = sizes.batch * model.keyValueHeads * sizes.slots * model.headDim;
    this.#layers = Array.from({ length: model.layers }, () => ({
      keys: new Float32Array(length),
      values: new Float32Array(length),
    }));
  }

  get slots(): number {
    return this.#sizes.slots;
  }

  widened(slots: number): HostCache {
    const wider = new HostCache(this.#sizes, { batch: this.#sizes.batch, slots });
    const { headDim, slots: before } = this.#sizes;
    for (const [index, { keys, values }] of this.#layers.entries()) {
      const to = wider.#layer(index);
      for (let row = 0; row * before * headDim < keys.length; row++) {
        const [start, end] = [row * before * headDim, (row + 1) * before * headDim];
        to.keys.set(keys.subarray(start, end), row * slots * headDim);
        to.values.set(values.subarray(start, end), row * slots * headDim);
      }
    }
    return wider;
  }

  store(layer: number, { keys, values, places }: FreshKeyValues): void {
    const cached = this.#layer(layer);
    this.#scatter({ from: keys, to: cached.keys, places });
    this.#scatter({ from: values, to: cached.values, places });
  }

  async read(layer: number, part: CachedRow): Promise<RowKeyValues> {
    const { keys, values } = this.#layer(layer);
    return { keys: this.#gather(keys, part), values: this.#gather(values, part) };
  }

  tensors(layer: number, rows: number): { readonly keys: tf.Tensor; readonly values: tf.Tensor } {
    const { keyValueHeads, slots, headDim } = this.#sizes;
    const { keys, values } = this.#layer(layer);
    const shape: [number, number, number, number] = [rows, keyValueHeads, slots, headDim];
    const ofRows = (all: Float32Array) =>
      tf.tensor4d(all.subarray(0, rows * keyValueHeads * slots * headDim), shape);
    return { keys: ofRows(keys), values: ofRows(values) };
  }

  [Symbol.dispose](): void {}

  #layer(layer: number) {
    const found = this.#layers[layer];
    if (found === undefined) throw new RangeError(`The model has no layer ${layer}`);
    return found;
  }

  /** [B, K, S, D] -> [K, T, D] of one row. */
  #gather(from: Float32Array, { row, tokens }: CachedRow): Float32Array {
    const { keyValueHeads: heads, slots, headDim } = this.#sizes;
    const to = new Float32Array(heads * tokens * headDim);
    for (let head = 0; head < heads; head++) {
      const start = (row * heads + head) * slots * headDim;
      to.set(from.subarray(start, start + tokens * headDim), head * tokens * headDim);
    }
    return to;
  }

  /** [rows, K, T, D] -> [B, K, S, D]. */
  #scatter({
    from,
    to,
    places,
  }: {
    from: Float32Array;
    to: Float32Array;
    places: readonly CachePlace[];
  }): void {
    const { keyValueHeads: heads, slots, headDim } = this.#sizes;
    const length = from.length / (places.length * heads); // T D
    for (const [index, { row, slot, tokens }] of places.entries())
      for (let head = 0; head < heads; head++) {
        const start = (index * heads + head) * length;
        const place = ((row * heads + head) * slots + slot) * headDim;
        to.set(from.subarray(start, start + tokens * headDim), place);
      }
  }
}
