import * as tf from '@tensorflow/tfjs-core';
import { causalAttention } from '../tensor/index.ts';
import type { Attend } from './forward-pass.ts';
import { groupQueries, splitHeads, ungroupQueries } from './heads.ts';
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
  const group = sizes.heads / sizes.keyValueHeads;
  const shape = { batch, length, heads: sizes.keyValueHeads };
  const mask = causalMask(length, group); // [G T, T]
  return ({ query, key, value }) => {
    const attended = causalAttention({
      query: groupQueries(query, { ...shape, group }), // [B, K, G T, D]
      key: splitHeads(key, shape), // [B, K, T, D]
      value: splitHeads(value, shape),
      mask,
    });
    return ungroupQueries(attended, { ...shape, group });
  };
}

/** [G T, T], the same [T, T] for each of G query heads: 0 up to the diagonal, HIDDEN_SCORE after it. */
function causalMask(length: number, group: number): tf.Tensor {
  const mask = new Float32Array(group * length * length);
  for (let row = 0; row < group * length; row++)
    mask.fill(HIDDEN_SCORE, row * length + (row % length) + 1, (row + 1) * length);
  return tf.tensor(mask, [group * length, length]);
}
