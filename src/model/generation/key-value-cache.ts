import * as tf from '@tensorflow/tfjs-core';
import { HIDDEN_SCORE } from '../attend-rows.ts';

export interface CacheSizes {
  /** Rows, B. */
  readonly batch: number;
  readonly layers: number;
  /** Heads of keys and values, K. */
  readonly heads: number;
  /** Extent of a head, D. */
  readonly headWidth: number;
}

/** Keys and values that one layer computed for T tokens of every row: [B T, K D] each. */
export interface FreshKeyValues {
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/**
 * The keys and values of the tokens so far, [B, K, S, D] for each layer, on the host: a step adds a token a row in place,
 * where a cache on the backend would be copied whole.
 */
export class KeyValueCache {
  readonly #sizes: CacheSizes;
  #slots = 0;
  #layers: readonly FreshKeyValues[];

  constructor(sizes: CacheSizes) {
    this.#sizes = sizes;
    this.#layers = Array.from({ length: sizes.layers }, () => emptyLayer(0));
  }

  /** Makes room for so many tokens in each row and keeps what is there. */
  reserve(slots: number): void {
    if (slots <= this.#slots) return;
    const { batch, heads, headWidth } = this.#sizes;
    const grow = (old: Float32Array) => {
      const grown = new Float32Array(batch * heads * slots * headWidth);
      const oldRun = this.#slots * headWidth;
      for (let head = 0; head < batch * heads; head++)
        grown.set(old.subarray(head * oldRun, (head + 1) * oldRun), head * slots * headWidth);
      return grown;
    };
    this.#layers = this.#layers.map(({ keys, values }) => ({ keys: grow(keys), values: grow(values) }));
    this.#slots = slots;
  }

  /** Stores T tokens of every row, the first of row b at slot `starts[b]`. */
  store(layer: number, fresh: FreshKeyValues, starts: Int32Array): void {
    const cached = this.#layer(layer);
    this.#scatter({ from: fresh.keys, to: cached.keys, starts });
    this.#scatter({ from: fresh.values, to: cached.values, starts });
  }

  /** [B, K, S, D] each; owned by the caller. */
  tensors(layer: number): { readonly keys: tf.Tensor; readonly values: tf.Tensor } {
    const { batch, heads, headWidth } = this.#sizes;
    const { keys, values } = this.#layer(layer);
    const shape: [number, number, number, number] = [batch, heads, this.#slots, headWidth];
    return { keys: tf.tensor4d(keys, shape), values: tf.tensor4d(values, shape) };
  }

  /** [B, 1, 1, S]: 0 where row b has one of its first `lengths[b]` tokens, HIDDEN_SCORE elsewhere; owned by the caller. */
  mask(lengths: Int32Array): tf.Tensor {
    const mask = new Float32Array(lengths.length * this.#slots).fill(HIDDEN_SCORE);
    for (const [row, length] of lengths.entries())
      mask.fill(0, row * this.#slots, row * this.#slots + length);
    return tf.tensor4d(mask, [lengths.length, 1, 1, this.#slots]);
  }

  #layer(layer: number): FreshKeyValues {
    return this.#layers[layer] ?? emptyLayer(0);
  }

  /** [B, T, K, D] -> [B, K, S, D] from slot `starts[b]`. */
  #scatter({ from, to, starts }: { from: Float32Array; to: Float32Array; starts: Int32Array }): void {
    const { batch, heads, headWidth } = this.#sizes;
    const length = from.length / (batch * heads * headWidth);
    let read = 0;
    for (const [row, start] of starts.entries())
      for (let token = 0; token < length; token++)
        for (let head = 0; head < heads; head++) {
          const slot = (row * heads + head) * this.#slots + start + token;
          to.set(from.subarray(read, read + headWidth), slot * headWidth);
          read += headWidth;
        }
  }
}

const emptyLayer = (length: number): FreshKeyValues => ({
  keys: new Float32Array(length),
  values: new Float32Array(length),
});
