import * as tf from '@tensorflow/tfjs-core';
import { causalAttention, rearrangeRows } from '../tensor/index.ts';
import type { ModelSizes } from './family.ts';
import type { Attend, DropoutFactors } from './forward-pass.ts';
import type { Tokens } from './language-model.ts';
import type { ModelConfig } from './model-config.ts';

/** Low enough that its exponential is exactly 0 beside any real score, and finite, so that no NaN can arise. */
export const HIDDEN_SCORE = -1e9;

interface Rows {
  /** Rows in the batch, B. */
  readonly batch: number;
  /** Tokens in every row, T. */
  readonly length: number;
  /** Only where a training drops elements. */
  readonly dropout?: DropoutFactors | undefined;
}

/** Causal attention within each of B rows of T tokens; a row's padding stands at its end, where nothing before it looks. */
function attendRows(sizes: ModelSizes, { batch, length, dropout }: Rows): Attend {
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

interface HeadShape {
  /** Rows, B. */
  readonly batch: number;
  /** Tokens in every row, T. */
  readonly length: number;
  /** Heads of keys and values, K. */
  readonly heads: number;
}

interface GroupShape extends HeadShape {
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

interface PaddedRows extends Rows {
  /** B rows of T tokens, one row after the other; padding stands at the end of a row. */
  readonly ids: Int32Array;
  /** [B]: each row's tokens without its padding; T where absent. */
  readonly lengths?: Int32Array;
}

/** The forward pass's input for B rows of T tokens, each a text of its own that begins at position 0. Call it inside tf.tidy. */
export function paddedRows(config: ModelConfig, rows: PaddedRows): Tokens {
  const { ids, batch, length, lengths, dropout } = rows;
  if (length > config.contextLength)
    throw new RangeError(`rows of ${length} tokens do not fit into a context of ${config.contextLength}`);
  const positions = Int32Array.from(ids, (_, index) => index % length);
  return {
    ids: tf.tensor1d(ids, 'int32'),
    positions,
    textLengths: Int32Array.from(ids, (_, index) => lengths?.[Math.floor(index / length)] ?? length),
    attend: attendRows(config, { batch, length, dropout }),
    dropout,
  };
}

/** N tokens of B texts without padding between them, and B rows of T slots in which attention sees them. */
interface PackedRows {
  /** [N], fillers after the last text among them. */
  readonly ids: Int32Array;
  /** [N]: each token's place in its own text. */
  readonly positions: Int32Array;
  /** [N]: the length of each token's text. */
  readonly textLengths: Int32Array;
  readonly batch: number;
  readonly length: number;
  /** [B T]: the token in each slot; a filler where a row is longer than its text. */
  readonly tokenOfSlot: Int32Array;
  /** [N]: the slot of each token; for a filler one without a text's token. */
  readonly slotOfToken: Int32Array;
  /** Only where a training drops elements. */
  readonly dropout?: DropoutFactors | undefined;
}

/**
 * The forward pass's input for texts without padding: everything but attention is computed on N rows, attention on B rows
 * of T. What fills up either is never looked at, so its gradients are zero. Call it inside tf.tidy.
 */
export function packedRows(config: ModelConfig, rows: PackedRows): Tokens {
  const { ids, positions, textLengths, dropout } = rows;
  return {
    ids: tf.tensor1d(ids, 'int32'),
    positions,
    textLengths,
    attend: attendWithin(config, rows),
    dropout,
  };
}

function attendWithin(config: ModelConfig, { batch, length, dropout, ...slots }: PackedRows): Attend {
  const tokenOfSlot = tf.tensor1d(slots.tokenOfSlot, 'int32');
  const slotOfToken = tf.tensor1d(slots.slotOfToken, 'int32');
  const intoRows = (x: tf.Tensor) => rearrangeRows({ x, from: tokenOfSlot, back: slotOfToken }); // [N, C] -> [B T, C]
  const outOfRows = (x: tf.Tensor) => rearrangeRows({ x, from: slotOfToken, back: tokenOfSlot });
  const attend = attendRows(config, { batch, length, dropout });
  return ({ layer, query, key, value }) =>
    outOfRows(attend({ layer, query: intoRows(query), key: intoRows(key), value: intoRows(value) }));
}
