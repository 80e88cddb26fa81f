import * as tf from '@tensorflow/tfjs-core';
import type { LanguageModel } from '../../model/language-model.ts';
import type { PaddedBatch } from '../batches/pad-batch.ts';
import { batchLoss } from './batch-loss.ts';

/** The mean of the batches' mean losses, each batch counting alike whatever its number of targets. */
export async function meanLoss(model: LanguageModel, batches: readonly PaddedBatch[]): Promise<number> {
  let sum = 0;
  for (const batch of batches) {
    const loss = tf.tidy(() => batchLoss(model, batch));
    const [value = Number.NaN] = await loss.data();
    sum += value;
    loss.dispose();
  }
  return sum / batches.length;
}
