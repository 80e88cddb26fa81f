import * as tf from '@tensorflow/tfjs-core';
import { joinHeads, splitHeads } from '../attend-rows.ts';
import type { Projected } from '../forward-pass.ts';

export interface CachedAttention {
  readonly projected: Projected;
  /** [B, H, S, D] */
  readonly keys: tf.Tensor;
  /** [B, H, S, D] */
  readonly values: tf.Tensor;
  /** Added to the scores of the cached tokens: [B, 1, 1, S] */
  readonly mask: tf.Tensor;
}

/**
 * Attention of one new token a row, [B, C], to the cached ones and to itself: [B, C]. Its own score is computed apart and
 * joins the others for the softmax, so that the cache is read and never copied.
 */
export function attendCache({ projected, keys, values, mask }: CachedAttention): tf.Tensor {
  const [batch = 0, heads = 0, slots = 0, headWidth = 1] = keys.shape;
  const split = (x: tf.Tensor) => splitHeads(x, { batch, length: 1, heads }); // [B, H, 1, D]
  const query = tf.mul(split(projected.query), 1 / Math.sqrt(headWidth));
  const cached = tf.add(tf.matMul(query, keys, false, true), mask); // [B, H, 1, S]
  const own = tf.matMul(query, split(projected.key), false, true); // [B, H, 1, 1]
  const [onCached, onOwn] = tf.split(tf.softmax(tf.concat([cached, own], 3)), [slots, 1], 3) as [
    tf.Tensor, // [B, H, 1, S]
    tf.Tensor, // [B, H, 1, 1]
  ];
  return joinHeads(tf.add(tf.matMul(onCached, values), tf.mul(onOwn, split(projected.value))));
}
