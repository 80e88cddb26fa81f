import * as tf from '@tensorflow/tfjs-core';
import type { DropoutFactors } from '../../model/forward-pass.ts';
import type { LanguageModel } from '../../model/language-model.ts';
import { paddedRows } from '../../model/padded-rows.ts';
import { crossEntropy, embeddingLookup } from '../../tensor/index.ts';
import type { PaddedBatch } from '../batches/pad-batch.ts';
import { countedRows } from './counted-rows.ts';

export interface BatchPass {
  readonly batch: PaddedBatch;
  readonly dropout?: DropoutFactors | undefined;
}

/**
 * The mean cross-entropy over a batch's targets that count. The head, a large part of a model, is computed at these M of
 * the B T places only. Call it where tensors are tidied.
 */
export function batchLoss(model: LanguageModel, { batch, dropout }: BatchPass): tf.Scalar {
  const { places, targets } = countedRows(batch.targets);
  const { inputs: ids, rows, width: length } = batch;
  const tokens = paddedRows(model.config, { ids, batch: rows, length, dropout });
  const hidden = model.hidden(tokens); // [B T, C]
  const counted = embeddingLookup({ table: hidden, ids: tf.tensor1d(places, 'int32') }); // [M, C]
  const logits = model.logits(counted, { dropout }); // [M, V]
  return crossEntropy({ logits, targets: tf.tensor1d(targets, 'int32') }) as tf.Scalar; // a mean has no axes left
}
