import * as tf from '@tensorflow/tfjs-core';
import { fused } from './fused.ts';

export interface CachedAttentionOptions {
  /** [B, H D], of one new token a row */
  readonly query: tf.Tensor;
  /** [B, K D] for K heads of keys and values, each shared by H / K query heads */
  readonly key: tf.Tensor;
  /** [B, K D] */
  readonly value: tf.Tensor;
  /** [B, K, S, D], of the tokens before, in the first `lengths[b]` of S slots */
  readonly keys: tf.Tensor;
  /** [B, K, S, D] */
  readonly values: tf.Tensor;
  /** int32 [B], each less than S */
  readonly lengths: tf.Tensor;
  /** How many tokens a token looks back on, itself included; all where absent. */
  readonly window?: number | undefined;
}

export interface CachedAttention {
  /** [B, H D] */
  readonly attended: tf.Tensor;
  /**
   * Whether the backend also puts the new keys and values into the arrays that `keys` and `values` were made of, when it
   * computes: they then must not be read or changed before. Elsewhere the caller has to.
   */
  readonly isStored: boolean;
}

/** Kernels take heads whose width is a multiple of this. */
const WIDTH_STEP = 8;

const HIDDEN_SCORE = -1e9;

/** Scaled dot-product attention of one new token a row to the cached ones and to itself. No gradient. */
export function cachedAttention(options: CachedAttentionOptions): CachedAttention {
  const { window = 0, ...inputs } = options;
  const isWide = (options.keys.shape.at(-1) ?? 0) % WIDTH_STEP === 0;
  const attended = isWide ? fused('CachedAttention', { inputs, attributes: { window } })?.[0] : undefined;
  return attended === undefined
    ? { attended: tf.tidy(() => byFormula(options)), isStored: false }
    : { attended, isStored: true };
}

// The new token's own score is computed apart and joins the others for the softmax, so that the cache is never copied.
function byFormula({ query, key, value, keys, values, lengths, window }: CachedAttentionOptions): tf.Tensor {
  const [batch = 0, heads = 0, slots = 0, width = 0] = keys.shape;
  const scaled = tf.reshape(tf.mul(query, 1 / Math.sqrt(width)), [batch, heads, -1, width]); // [B, K, G, D]
  const mask = cacheMask({ lengths, slots, window });
  const cached = tf.add(tf.matMul(scaled, keys, false, true), mask); // [B, K, G, S]
  const own = tf.matMul(scaled, tf.reshape(key, [batch, heads, 1, width]), false, true); // [B, K, G, 1]
  const [onCached, onOwn] = tf.split(tf.softmax(tf.concat([cached, own], 3)), [slots, 1], 3) as [
    tf.Tensor, // [B, K, G, S]
    tf.Tensor, // [B, K, G, 1]
  ];
  const fromOwn = tf.mul(onOwn, tf.reshape(value, [batch, heads, 1, width])); // [B, K, G, D]
  return tf.reshape(tf.add(tf.matMul(onCached, values), fromOwn), query.shape);
}

interface CacheMask {
  readonly lengths: tf.Tensor;
  readonly slots: number;
  readonly window: number | undefined;
}

/** [B, 1, 1, S]: 0 where the new token looks, HIDDEN_SCORE elsewhere. */
function cacheMask({ lengths, slots, window = slots + 1 }: CacheMask): tf.Tensor {
  const row = tf.reshape(lengths, [-1, 1, 1, 1]);
  const slot = tf.range(0, slots, 1, 'int32');
  const isFilled = tf.less(slot, row);
  const isNear = tf.greater(slot, tf.sub(row, tf.scalar(window, 'int32')));
  return tf.where(tf.logicalAnd(isFilled, isNear), 0, HIDDEN_SCORE);
}
