import * as tf from '@tensorflow/tfjs-core';
import { causalAttention } from '../tensor/index.ts';
import type { Attend, DropoutFactors } from './forward-pass.ts';
import { groupQueries, splitHeads, ungroupQueries } from './heads.ts';
import type { ModelSizes } from './model-config.ts';

/** Low enough that its exponential is exactly 0 beside any real score, and finite, so that no NaN can arise. */
export const HIDDEN_SCORE = -1e9;

export interface Rows {
  /** Rows in the batch, B. */
  readonly batch: number;
  /** Tokens in every row, T. */
  readonly length: number;
  /** Only where a training drops elements. */
  readonly dropout?: DropoutFactors | undefined;
}

/** Causal attention within each of B rows of T tokens; a row's padding stands at its end, where nothing before it looks. */
export function attendRows(sizes: ModelSizes, { batch, length, dropout }: Rows): Attend {
  const group = sizes.heads / sizes.keyValueHeads;
  const shape = { batch, length, heads: sizes.keyValueHeads };
  const mask = causalMask({ length, group, window: sizes.slidingWindow ?? length }); // [G T, T]
  return ({ layer, query, key, value }) => {
    const attended = causalAttention({
      query: groupQueries(query, { ...shape, group }), // [B, K, G T, D]
      key: splitHeads(key, shape), // [B, K, T, D]
      value: splitHeads(value, shape),
      mask,
      dropout: dropout?.({
        place: 'attention',
        name: `${layer}`,
        shape: [batch, shape.heads, group * length, length],
      }),
    });
    return ungroupQueries(attended, { ...shape, group });
  };
}

interface MaskShape {
  /** T */
  readonly length: number;
  /** G */
  readonly group: number;
  /** How many tokens a token looks back on, itself included. */
  readonly window: number;
}

/** [G T, T], the same [T, T] for each of G query heads: 0 where a token looks, HIDDEN_SCORE elsewhere. */
function causalMask({ length, group, window }: MaskShape): tf.Tensor {
  const mask = new Float32Array(group * length * length).fill(HIDDEN_SCORE);
  for (let row = 0; row < group * length; row++) {
    const token = row % length;
    mask.fill(0, row * length + Math.max(0, token - window + 1), row * length + token + 1);
  }
  return tf.tensor(mask, [group * length, length]);
}
