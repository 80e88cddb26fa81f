import * as tf from '@tensorflow/tfjs-core';
import { cachedAttention } from '../../tensor/index.ts';
import type { Projected } from '../forward-pass.ts';
import type { LanguageModel } from '../language-model.ts';
import type { KeyValueCache } from './key-value-cache.ts';
import { type PassInput, readPass } from './read-pass.ts';

export interface TokensToRead {
  readonly model: LanguageModel;
  readonly cache: KeyValueCache;
  /** One for each row, B. */
  readonly tokens: Int32Array;
  /** The tokens' places in their texts, B. */
  readonly positions: Int32Array;
}

/** One pass over one new token a row: adds them to the cache and returns the logits after them, [B V]. */
export async function readTokens({ model, cache, tokens, positions }: TokensToRead): Promise<Float32Array> {
  const pass = (): PassInput => {
    const lengths = tf.tensor1d(positions, 'int32');
    const attend = ({ layer, ...projected }: Projected) =>
      cachedAttention({
        ...projected,
        ...cache.tensors(layer),
        lengths,
        window: model.config.slidingWindow,
      });
    const textLengths = positions.map((position) => position + 1);
    return { ids: tf.tensor1d(tokens, 'int32'), positions, textLengths, attend };
  };
  const { logits, fresh } = await readPass(model, pass);
  const places = Array.from(positions, (slot, row) => ({ row, slot }));
  for (const { layer, keys, values } of fresh) cache.store(layer, { keys, values, places });
  return logits;
}
