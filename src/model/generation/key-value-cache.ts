import type * as tf from '@tensorflow/tfjs-core';

export interface CacheSizes {
  /** Rows, B. */
  readonly batch: number;
  /** Tokens per row, S. */
  readonly slots: number;
}

export interface CachePlace {
  readonly row: number;
  /** The slot of the first token. */
  readonly slot: number;
}

/** The first T tokens of one row. */
export interface CachedRow {
  readonly row: number;
  readonly tokens: number;
}

export interface RowKeyValues {
  /** [T, K D] */
  readonly keys: Float32Array;
  /** [T, K D] */
  readonly values: Float32Array;
}

/** Keys and values that one layer computed for T tokens in each of some rows. */
export interface FreshKeyValues {
  /** [rows T, K D] */
  readonly keys: Float32Array;
  /** [rows T, K D] */
  readonly values: Float32Array;
  /** Where each of those rows is stored. */
  readonly places: readonly CachePlace[];
}

/** The keys and values of the tokens so far, [B, K, S, D] for each layer. */
export interface KeyValueCache extends Disposable {
  readonly slots: number;
  /** A cache with the same content and more slots, which replaces this one. */
  widened(slots: number): KeyValueCache;
  /** Stores T tokens of some rows. */
  store(layer: number, fresh: FreshKeyValues): void;
  /** The first tokens of a row, [T, K D] each. */
  read(layer: number, part: CachedRow): Promise<RowKeyValues>;
  /** [B, K, S, D] each; owned by the caller. */
  tensors(layer: number): { readonly keys: tf.Tensor; readonly values: tf.Tensor };
}
