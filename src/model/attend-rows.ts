import * as tf from '@tensorflow/tfjs-core';
import { causalAttention, MASKED_SCORE, rearrangeRows, shared } from '../tensor/index.ts';
import type { ModelSizes } from './family.ts';
import type { Attend, DropoutFactors } from './forward-pass.ts';
import type { Tokens } from './language-model.ts';
import type { ModelConfig } from './model-config.ts';
import { masksByWindow } from './windows.ts';

interface Rows {
  /** Rows in the batch, B. */
  readonly batch: number;
  /** Tokens in every row, T. */
  readonly length: number;
  /** Only in training. */
  readonly dropout?: DropoutFactors | undefined;
}

/** Causal attention within each of B rows of T tokens; a row's padding is at its end, where no token attends to it. */
function attendRows(sizes: ModelSizes, { batch, length, dropout }: Rows): Attend {
  const group = sizes.heads / sizes.keyValueHeads;
  const shape = { batch, length, heads: sizes.keyValueHeads };
  const maskOf = masksByWindow(sizes, (window = length) => causalMask({ length, group, window })); // [G T, T]
  return ({ layer, query, key, value }) => {
    const attended = causalAttention({
      query: groupQueries(query, { ...shape, group }), // [B, K, G T, D]
      key: splitHeads(key, shape), // [B, K, T, D]
      value: splitHeads(value, shape),
      mask: maskOf(layer),
      scoreCap: sizes.scoreCap,
      dropout: dropout?.({
        place: 'attention',
        name: `${layer}`,
        shape: [batch, shape.heads, group * length, length],
      }),
    });
    return ungroupQueries(attended, { ...shape, group });
  };
}

/** [G T, T], the same [T, T] for each of G query heads: 0 where a token attends, MASKED_SCORE elsewhere. */
function causalMask({
  length,
  group,
  window,
}: {
  /** T */
  readonly length: number;
  /** G */
  readonly group: number;
  /** How many tokens a token attends to, itself included. */
  readonly window: number;
}): tf.Tensor {
  const mask = new Float32Array(group * length * length).fill(MASKED_SCORE);
  for (let row = 0; row < group * length; row++) {
    const token = row % length;
    mask.fill(0, row * length + Math.max(0, token - window + 1), row * length + token + 1);
  }
  return shared(tf.tensor(mask, [group * length, length]));
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

/** Puts the queries that share a head one after the other, so that no key is repeated: [B T, K G D] -> [B, K, G T, D]. */
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
  /** [B T], one row after the other; padding is at the end of a row. */
  readonly ids: Int32Array;
  /** [B]: each row's tokens without padding; T if absent. */
  readonly lengths?: Int32Array;
}

/** The forward pass's input for B rows of T tokens, each a separate text that starts at position 0. Call it inside tf.tidy. */
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

/** N tokens of B texts without padding between them, and the B rows of T slots in which attention sees them. */
interface PackedRows {
  /** [N], including fillers after the last text. */
  readonly ids: Int32Array;
  /** [N]: each token's position in its own text. */
  readonly positions: Int32Array;
  /** [N]: the length of each token's text. */
  readonly textLengths: Int32Array;
  readonly batch: number;
  readonly length: number;
  /** [B T]: the token in each slot; a filler where a row is longer than its text. */
  readonly tokenOfSlot: Int32Array;
  /** [N]: the slot of each token; an empty slot for a filler. */
  readonly slotOfToken: Int32Array;
  /** Only in training. */
  readonly dropout?: DropoutFactors | undefined;
}

/**
 * The forward pass's input for texts without padding: attention is computed on B rows of T slots, everything else on N
 * rows. No token attends to the fillers of either, so their gradients are zero. Call it inside tf.tidy.
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
  const tokenOfSlot = shared(tf.tensor1d(slots.tokenOfSlot, 'int32'));
  const slotOfToken = shared(tf.tensor1d(slots.slotOfToken, 'int32'));
  const intoRows = (x: tf.Tensor) => rearrangeRows({ x, from: tokenOfSlot, back: slotOfToken }); // [N, C] -> [B T, C]
  const outOfRows = (x: tf.Tensor) => rearrangeRows({ x, from: slotOfToken, back: tokenOfSlot });
  const attend = attendRows(config, { batch, length, dropout });
  return ({ layer, query, key, value }) =>
    outOfRows(attend({ layer, query: intoRows(query), key: intoRows(key), value: intoRows(value) }));
}
