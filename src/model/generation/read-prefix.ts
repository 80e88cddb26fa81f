import * as tf from '@tensorflow/tfjs-core';
import type { LanguageModel } from '../language-model.ts';
import { paddedRows } from '../padded-rows.ts';
import type { CachedPrefix } from './attend-branches.ts';

/** One pass over a text: the keys and values of every layer, owned by the caller. */
export async function readPrefix(model: LanguageModel, tokens: Int32Array): Promise<CachedPrefix> {
  const kept: { key: tf.Tensor; value: tf.Tensor }[] = [];
  tf.tidy(() => {
    const rows = paddedRows(model.config, { ids: tokens, batch: 1, length: tokens.length });
    model.hidden({
      ...rows,
      attend: (projected) => {
        // What the projections are a part of goes with the pass, so that they are kept by themselves.
        kept.push({ key: tf.keep(tf.clone(projected.key)), value: tf.keep(tf.clone(projected.value)) });
        return rows.attend(projected);
      },
    });
  });
  // Read at once: else it would be computed together with what first uses it, and perhaps to other last digits.
  await Promise.all(kept.flatMap(({ key, value }) => [key.data(), value.data()]));
  return kept;
}
