import * as tf from '@tensorflow/tfjs-core';
import { rearrangeRows } from '../tensor/index.ts';
import { attendRows } from './attend-rows.ts';
import type { Attend, DropoutFactors } from './forward-pass.ts';
import type { Tokens } from './language-model.ts';
import type { ModelConfig } from './model-config.ts';

/** N tokens of B texts without padding between them, and B rows of T slots in which attention sees them. */
export interface PackedRows {
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
