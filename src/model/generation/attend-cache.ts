import * as tf from '@tensorflow/tfjs-core';
import type { Projected } from '../forward-pass.ts';
import { groupQueries, splitHeads, ungroupQueries } from '../heads.ts';
import type { ModelSizes } from '../model-config.ts';

export interface CachedAttention {
  readonly sizes: ModelSizes;
  readonly projected: Projected;
  /** [B, K, S, D] */
  readonly keys: tf.Tensor;
  /** [B, K, S, D] */
  readonly values: tf.Tensor;
  /** Added to the scores of the cached tokens: [B, 1, 1, S] */
  readonly mask: tf.Tensor;
}

/**
 * Attention of one new token a row, [B, H D], to the cached ones and to itself: [B, H D]. Its own score is computed apart
 * and joins the others for the softmax, so that the cache is read and never copied.
 */
export function attendCache({ sizes, projected, keys, values, mask }: CachedAttention): tf.Tensor {
  const [batch = 0, heads = 0, slots = 0] = keys.shape;
  const shape = { batch, length: 1, heads, group: sizes.heads / heads };
  const query = tf.mul(groupQueries(projected.query, shape), 1 / Math.sqrt(sizes.headWidth)); // [B, K, G, D]
  const cached = tf.add(tf.matMul(query, keys, false, true), mask); // [B, K, G, S]
  const own = tf.matMul(query, splitHeads(projected.key, shape), false, true); // [B, K, G, 1]
  const [onCached, onOwn] = tf.split(tf.softmax(tf.concat([cached, own], 3)), [slots, 1], 3) as [
    tf.Tensor, // [B, K, G, S]
    tf.Tensor, // [B, K, G, 1]
  ];
  const fromOwn = tf.mul(onOwn, splitHeads(projected.value, shape)); // [B, K, G, D]
  return ungroupQueries(tf.add(tf.matMul(onCached, values), fromOwn), shape);
}
