import * as tf from '@tensorflow/tfjs-core';
import { causalAttention } from '../../tensor/index.ts';
import { HIDDEN_SCORE } from '../attend-rows.ts';
import type { Attend } from '../forward-pass.ts';
import { groupQueries, splitHeads, ungroupQueries } from '../heads.ts';
import type { LanguageModel } from '../language-model.ts';
import type { ModelSizes } from '../model-config.ts';
import type { KeyValueCache } from './key-value-cache.ts';
import { type PassInput, readPass } from './read-pass.ts';

export interface ContinuationToRead {
  readonly model: LanguageModel;
  /** Of one row, whose first `from` slots are filled. */
  readonly cache: KeyValueCache;
  /** What comes after; at least one token. */
  readonly tokens: Int32Array;
  readonly from: number;
  /** The tokens are padded to this number, T. */
  readonly length: number;
}

/** One pass over several tokens that go on from a cached text: adds them to the cache and returns the logits after the last, [V]. */
export async function readContinuation(reading: ContinuationToRead): Promise<Float32Array> {
  const { model, cache, tokens, from, length } = reading;
  const { contextLength } = model.config;
  const ids = new Int32Array(length);
  ids.set(tokens);
  const pass = (): PassInput => {
    const attend = attendContinuation(model.config, reading);
    return {
      ids: tf.tensor1d(ids, 'int32'),
      // Padding has no place of its own where the context ends before it.
      positions: Int32Array.from(ids, (_, index) => Math.min(from + index, contextLength - 1)),
      textLengths: new Int32Array(length).fill(from + tokens.length),
      attend: (projected) => ({ attended: attend(projected), isStored: false }),
      wanted: Int32Array.of(tokens.length - 1),
    };
  };
  const { logits, fresh } = await readPass(model, pass);
  const ofTokens = (rows: Float32Array) => rows.subarray(0, (rows.length / length) * tokens.length);
  for (const { layer, keys, values } of fresh)
    cache.store(layer, {
      keys: ofTokens(keys),
      values: ofTokens(values),
      places: [{ row: 0, slot: from }],
    });
  return logits;
}

/** Attention of T tokens to those in the cache and to each other. Call it inside tf.tidy. */
function attendContinuation(sizes: ModelSizes, { cache, from, length }: ContinuationToRead): Attend {
  const group = sizes.heads / sizes.keyValueHeads;
  const shape = { batch: 1, length, heads: sizes.keyValueHeads };
  const mask = continuationMask({ from, length, group, slots: cache.slots, window: sizes.slidingWindow });
  return ({ layer, query, key, value }) => {
    const { keys, values } = cache.tensors(layer);
    const attended = causalAttention({
      query: groupQueries(query, { ...shape, group }), // [1, K, G T, D]
      key: tf.concat([keys, splitHeads(key, shape)], 2), // [1, K, S + T, D]
      value: tf.concat([values, splitHeads(value, shape)], 2),
      mask,
    });
    return ungroupQueries(attended, { ...shape, group });
  };
}

interface MaskShape {
  readonly from: number;
  /** T */
  readonly length: number;
  /** G */
  readonly group: number;
  /** S */
  readonly slots: number;
  readonly window: number | undefined;
}

/** [G T, S + T], the same for each of G query heads: 0 where a token looks, HIDDEN_SCORE elsewhere. */
function continuationMask({ from, length, group, slots, window = from + length }: MaskShape): tf.Tensor {
  const columns = slots + length;
  const mask = new Float32Array(group * length * columns).fill(HIDDEN_SCORE);
  for (let row = 0; row < group * length; row++) {
    const token = row % length;
    const begin = row * columns;
    mask.fill(0, begin + Math.min(from, Math.max(0, from + token - window + 1)), begin + from);
    mask.fill(0, begin + slots + Math.max(0, token - window + 1), begin + slots + token + 1);
  }
  return tf.tensor2d(mask, [group * length, columns]);
}
