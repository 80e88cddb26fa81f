import * as tf from '@tensorflow/tfjs-core';
import type { DropoutFactors } from '../../model/forward-pass.ts';
import type { LanguageModel, Tokens } from '../../model/language-model.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { packedRows } from '../../model/packed-rows.ts';
import { paddedRows } from '../../model/padded-rows.ts';
import { crossEntropy, embeddingLookup } from '../../tensor/index.ts';
import type { BatchPiece } from '../batches/batch-pieces.ts';
import { countedRows } from './counted-rows.ts';

export interface BatchPass {
  readonly batch: BatchPiece;
  readonly dropout?: DropoutFactors | undefined;
}

/**
 * The mean cross-entropy over a batch's targets that count. The head, a large part of a model, is computed at these M of
 * the N places only. Call it where tensors are tidied.
 */
export function batchLoss(model: LanguageModel, { batch, dropout }: BatchPass): tf.Scalar {
  const { places, targets } = countedRows(batch.targets);
  const hidden = model.hidden(tokensOf(model.config, { batch, dropout })); // [N, C]
  const counted = embeddingLookup({ table: hidden, ids: tf.tensor1d(places, 'int32') }); // [M, C]
  const logits = model.logits(counted, { dropout }); // [M, V]
  return crossEntropy({ logits, targets: tf.tensor1d(targets, 'int32') }) as tf.Scalar; // a mean has no axes left
}

function tokensOf(config: ModelConfig, { batch, dropout }: BatchPass): Tokens {
  const { inputs: ids, rows, width: length } = batch;
  switch (batch.layout) {
    case 'padded':
      return paddedRows(config, { ids, batch: rows, length, lengths: batch.lengths, dropout });
    case 'packed':
      return packedRows(config, { ...batch, ids, batch: rows, length, dropout });
    default:
      return batch satisfies never;
  }
}
