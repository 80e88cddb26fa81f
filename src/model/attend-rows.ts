import * as tf from '@tensorflow/tfjs-core';
import { causalAttention } from '../tensor/index.ts';
import type { Attend } from './forward-pass.ts';
import type { ModelSizes } from './model-config.ts';

/** Low enough that its exponential is exactly 0 beside any real score, and finite, so that no NaN can arise. */
export const HIDDEN_SCORE = -1e9;

export interface Rows {
  /** Rows in the batch, B. */
  readonly batch: number;
  /** Tokens in every row, T. */
  readonly length: number;
}

/** Causal attention within each of B rows of T tokens; a row's padding stands at its end, where nothing before it looks. */
export function attendRows(sizes: ModelSizes, { batch, length }: Rows): Attend {
  const shape = { batch, length, heads: sizes.heads };
  const mask = causalMask(length); // [T, T]
  return ({ query, key, value }) =>
    joinHeads(
      causalAttention({
        query: splitHeads(query, shape),
        key: splitHeads(key, shape),
        value: splitHeads(value, shape),
        mask,
      }),
    );
}

/** [B T, H D] -> [B, H, T, D] */
export function splitHeads(x: tf.Tensor, { batch, length, heads }: Rows & { heads: number }): tf.Tensor {
  return tf.transpose(tf.reshape(x, [batch, length, heads, -1]), [0, 2, 1, 3]);
}

/** [B, H, T, D] -> [B T, H D] */
export function joinHeads(x: tf.Tensor): tf.Tensor {
  const [batch = 0, heads = 0, length = 0, width = 0] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch * length, heads * width]);
}

/** [T, T]: 0 up to the diagonal, HIDDEN_SCORE after it. */
export function causalMask(length: number): tf.Tensor {
  const mask = new Float32Array(length * length);
  for (let row = 0; row < length; row++) mask.fill(HIDDEN_SCORE, row * length + row + 1, (row + 1) * length);
  return tf.tensor(mask, [length, length]);
}
