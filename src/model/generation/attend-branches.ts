import * as tf from '@tensorflow/tfjs-core';
import type { Attend } from '../forward-pass.ts';
import { groupQueries, splitHeads, ungroupQueries } from '../heads.ts';
import type { ModelSizes } from '../model-config.ts';

/** Keys and values of a text that all rows begin with, for each layer: [P, K D]. */
export type CachedPrefix = readonly { readonly key: tf.Tensor; readonly value: tf.Tensor }[];

export interface BranchedAttention {
  /** Rows, B. */
  readonly batch: number;
  /** Tokens in every row, T. */
  readonly length: number;
  /** Added to the scores of a row's own tokens: [B, 1, 1, T, T] */
  readonly mask: tf.Tensor;
  readonly prefix: CachedPrefix | undefined;
}

/** Attention of rows to a prefix that all of them see whole, and among their own tokens as the mask says. */
export function attendBranches(sizes: ModelSizes, attention: BranchedAttention): Attend {
  const { batch, length, mask, prefix } = attention;
  const group = sizes.heads / sizes.keyValueHeads;
  const shape = { batch, length, heads: sizes.keyValueHeads };
  return ({ layer, query, key, value }) => {
    const scaled = tf.mul(query, 1 / Math.sqrt(sizes.headWidth));
    const queries = groupQueries(scaled, { ...shape, group }); // [B, K, G T, D]
    const own = maskedScores({ queries, keys: splitHeads(key, shape), mask, group }); // [B, K, G T, T]
    const values = splitHeads(value, shape); // [B, K, T, D]
    const cached = prefix?.[layer];
    if (cached === undefined) return ungroupQueries(tf.matMul(tf.softmax(own), values), { ...shape, group });
    const [cachedLength = 0] = cached.key.shape;
    const cachedShape = { batch: 1, length: cachedLength, heads: sizes.keyValueHeads };
    const onCached = tf.matMul(queries, splitHeads(cached.key, cachedShape), false, true); // [B, K, G T, P]
    const [weightsOfCached, weightsOfOwn] = tf.split(
      tf.softmax(tf.concat([onCached, own], 3)),
      [cachedLength, length],
      3,
    ) as [tf.Tensor, tf.Tensor]; // as many as asked for
    const fromCached = tf.matMul(weightsOfCached, splitHeads(cached.value, cachedShape));
    return ungroupQueries(tf.add(fromCached, tf.matMul(weightsOfOwn, values)), { ...shape, group });
  };
}

interface OwnScores {
  /** [B, K, G T, D] */
  readonly queries: tf.Tensor;
  /** [B, K, T, D] */
  readonly keys: tf.Tensor;
  /** [B, 1, 1, T, T] */
  readonly mask: tf.Tensor;
  readonly group: number;
}

/** The heads of a group share one mask, which is not repeated for each. */
function maskedScores({ queries, keys, mask, group }: OwnScores): tf.Tensor {
  const scores = tf.matMul(queries, keys, false, true); // [B, K, G T, T]
  const [batch = 0, heads = 0, , length = 0] = scores.shape;
  const apart = tf.reshape(scores, [batch, heads, group, length, length]);
  return tf.reshape(tf.add(apart, mask), [batch, heads, group * length, length]);
}
