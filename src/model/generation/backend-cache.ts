import * as tf from '@tensorflow/tfjs-core';
import { computePending } from '../../tensor/index.ts';
import type { ModelSizes } from '../family.ts';
import type {
  CachedRow,
  CachePlace,
  CacheSizes,
  FreshKeyValues,
  KeyValueCache,
  RowKeyValues,
} from './key-value-cache.ts';

interface Layer {
  readonly keys: tf.Tensor;
  readonly values: tf.Tensor;
}

/** Keys and values in the memory of a backend whose attention adds a decode step's token there. */
export class BackendCache implements KeyValueCache {
  readonly #sizes: ModelSizes & CacheSizes;
  #layers: readonly Layer[];

  constructor(model: ModelSizes, sizes: CacheSizes, layers?: readonly Layer[]) {
    this.#sizes = { ...model, ...sizes };
    const empty = () => tf.keep(tf.zeros(this.#shape(sizes.batch)));
    this.#layers = layers ?? Array.from({ length: model.layers }, () => ({ keys: empty(), values: empty() }));
  }

  get slots(): number {
    return this.#sizes.slots;
  }

  widened(slots: number): BackendCache {
    const padding: [number, number][] = [0, 0, slots - this.slots, 0].map((size) => [0, size]);
    const wider = (x: tf.Tensor) => tf.keep(tf.pad(x, padding));
    const layers = this.#layers.map(({ keys, values }) => ({ keys: wider(keys), values: wider(values) }));
    computePending();
    this[Symbol.dispose]();
    return new BackendCache(this.#sizes, { batch: this.#sizes.batch, slots }, layers);
  }

  /**
   * The rows are padded to all slots on the host and chosen by masks, so that the graph that stores them does not depend on
   * how long they are.
   */
  store(layer: number, { keys, values, places }: FreshKeyValues): void {
    const length = keys.length / (places.length * this.#sizes.keyValueHeads * this.#sizes.headDim);
    for (const [index, place] of places.entries()) {
      const { keys: oldKeys, values: oldValues } = this.#layer(layer);
      const fresh = { index, length, place };
      const layerOfRow = tf.tidy(() => {
        const stored = this.#maskOf(place);
        const kept = tf.sub(1, stored);
        const replaced = (before: tf.Tensor, rows: Float32Array) =>
          tf.keep(tf.add(tf.mul(before, kept), tf.mul(this.#padded(rows, fresh), stored)));
        return { keys: replaced(oldKeys, keys), values: replaced(oldValues, values) };
      });
      computePending();
      tf.dispose([oldKeys, oldValues]);
      this.#layers = this.#layers.with(layer, layerOfRow);
    }
  }

  async read(layer: number, { row, tokens }: CachedRow): Promise<RowKeyValues> {
    const { keyValueHeads: heads, headDim } = this.#sizes;
    const { keys, values } = this.#layer(layer);
    const rows = [keys, values].map((from) =>
      tf.tidy(() => {
        const part = tf.slice(from, [row, 0, 0, 0], [1, heads, tokens, headDim]);
        return tf.reshape(part, [heads, tokens, headDim]);
      }),
    );
    const [ownKeys = noValues, ownValues = noValues] = await Promise.all(
      rows.map((tensor) => tensor.data<'float32'>()),
    );
    tf.dispose(rows);
    return { keys: ownKeys, values: ownValues };
  }

  tensors(layer: number, _rows: number): Layer {
    const { keys, values } = this.#layer(layer);
    return { keys: tf.clone(keys), values: tf.clone(values) };
  }

  [Symbol.dispose](): void {
    tf.dispose(this.#layers.flatMap(({ keys, values }) => [keys, values]));
  }

  #layer(layer: number): Layer {
    const found = this.#layers[layer];
    if (found === undefined) throw new RangeError(`The model has no layer ${layer}`);
    return found;
  }

  #shape(batch: number): [number, number, number, number] {
    const { keyValueHeads, slots, headDim } = this.#sizes;
    return [batch, keyValueHeads, slots, headDim];
  }

  /** [B, 1, S, 1]: 1 in the slots that get one of `tokens` new tokens, 0 elsewhere. */
  #maskOf({ row, slot, tokens }: CachePlace): tf.Tensor {
    const { batch, slots } = this.#sizes;
    const stored = new Float32Array(batch * slots).fill(1, row * slots + slot, row * slots + slot + tokens);
    return tf.tensor4d(stored, [batch, 1, slots, 1]);
  }

  /** [rows, K, T, D] -> [1, K, S, D]: the tokens of one row in their slots. */
  #padded(
    rows: Float32Array,
    {
      index,
      length,
      place: { slot, tokens },
    }: { readonly index: number; readonly length: number; readonly place: CachePlace },
  ): tf.Tensor {
    const { keyValueHeads: heads, slots, headDim } = this.#sizes;
    const padded = new Float32Array(heads * slots * headDim);
    for (let head = 0; head < heads; head++) {
      const start = (index * heads + head) * length * headDim;
      padded.set(rows.subarray(start, start + tokens * headDim), (head * slots + slot) * headDim);
    }
    return tf.tensor4d(padded, this.#shape(1));
  }
}

const noValues = new Float32Array();
