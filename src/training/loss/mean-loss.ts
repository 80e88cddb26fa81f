import * as tf from '@tensorflow/tfjs-core';
import type { LanguageModel } from '../../model/language-model.ts';
import type { BatchPieces } from '../batches/batch-pieces.ts';
import { batchLoss } from './batch-loss.ts';

/** The mean of the batches' mean losses, each batch counting alike whatever its number of targets. */
export async function meanLoss(model: LanguageModel, batches: readonly BatchPieces[]): Promise<number> {
  let sum = 0;
  for (const batch of batches) sum += await lossOf(model, batch);
  return sum / batches.length;
}

/** The mean over a batch's targets. */
async function lossOf(model: LanguageModel, { pieces, targetCount }: BatchPieces): Promise<number> {
  let sum = 0;
  for (const piece of pieces) {
    const loss = tf.tidy(() => batchLoss(model, { batch: piece }));
    const [value = Number.NaN] = await loss.data();
    loss.dispose();
    sum += value * piece.targetCount;
  }
  return sum / targetCount;
}
