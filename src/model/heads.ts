import * as tf from '@tensorflow/tfjs-core';

export interface HeadShape {
  /** Rows, B. */
  readonly batch: number;
  /** Tokens in every row, T. */
  readonly length: number;
  /** Heads of keys and values, K. */
  readonly heads: number;
}

export interface GroupShape extends HeadShape {
  /** Query heads that share a head of keys and values, G. */
  readonly group: number;
}

/** [B T, K D] -> [B, K, T, D] */
export function splitHeads(x: tf.Tensor, { batch, length, heads }: HeadShape): tf.Tensor {
  return tf.transpose(tf.reshape(x, [batch, length, heads, -1]), [0, 2, 1, 3]);
}

/** The queries that share a head, one after the other in its row, so that nothing is repeated: [B T, K G D] -> [B, K, G T, D]. */
export function groupQueries(query: tf.Tensor, shape: GroupShape): tf.Tensor {
  const { batch, length, heads, group } = shape;
  const split = splitHeads(query, { batch, length, heads: heads * group }); // [B, K G, T, D]
  return group === 1 ? split : tf.reshape(split, [batch, heads, group * length, -1]);
}

/** [B, K, G T, D] -> [B T, K G D] */
export function ungroupQueries(x: tf.Tensor, { batch, length, heads, group }: GroupShape): tf.Tensor {
  const split = group === 1 ? x : tf.reshape(x, [batch, heads * group, length, -1]); // [B, K G, T, D]
  return tf.reshape(tf.transpose(split, [0, 2, 1, 3]), [batch * length, -1]);
}
