import * as tf from '@tensorflow/tfjs-core';
import type { LanguageModel } from '../../model/language-model.ts';
import { paddedRows } from '../../model/padded-rows.ts';
import { crossEntropy } from '../../tensor/index.ts';
import type { PaddedBatch } from '../batches/pad-batch.ts';

/** The mean cross-entropy over a batch's targets that count. Call it where tensors are tidied. */
export function batchLoss(model: LanguageModel, batch: PaddedBatch): tf.Scalar {
  const { inputs, targets, rows, width } = batch;
  const tokens = paddedRows(model.config, { ids: inputs, batch: rows, length: width });
  const logits = model.logits(model.hidden(tokens)); // [B T, V]
  return crossEntropy({ logits, targets: tf.tensor1d(targets, 'int32') }) as tf.Scalar; // a mean has no axes left
}
