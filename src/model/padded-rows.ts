import * as tf from '@tensorflow/tfjs-core';
import { attendRows, type Rows } from './attend-rows.ts';
import type { Tokens } from './language-model.ts';
import type { ModelConfig } from './model-config.ts';

export interface PaddedRows extends Rows {
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
