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
  /** How many tokens are stored. */
  readonly tokens: number;
}

/** The first T tokens of one row. */
export interface CachedRow {
  readonly row: number;
  readonly tokens: number;
}

export interface RowKeyValues {
  /** [K, T, D] */
  readonly keys: Float32Array;
  /** [K, T, D] */
  readonly values: Float32Array;
}

/** Keys and values that one layer computed for T tokens, padding included, in each of some rows. */
export interface FreshKeyValues {
  /** [rows, K, T, D] */
  readonly keys: Float32Array;
  /** [rows, K, T, D] */
  readonly values: Float32Array;
  /** Where the first tokens of each of those rows are stored. */
  readonly places: readonly CachePlace[];
}

/** The keys and values of the tokens so far, [B, K, S, D] for each layer. */
export interface KeyValueCache extends Disposable {
  readonly slots: number;
  /** A cache with the same content and more slots, which replaces this one. */
  widened(slots: number): KeyValueCache;
  /** Stores tokens of some rows. */
  store(layer: number, fresh: FreshKeyValues): void;
  /** The first tokens of a row. */
  read(layer: number, part: CachedRow): Promise<RowKeyValues>;
  /** [B, K, S, D] each, or [rows, K, S, D] of the first rows on the host; owned by the caller. */
  tensors(layer: number, rows: number): { readonly keys: tf.Tensor; readonly values: tf.Tensor };
}
