import type * as tf from '@tensorflow/tfjs-core';
import type { DropoutFactors, LanguageModel } from '../model/index.ts';
import type { ProductPrecision } from '../tensor/index.ts';
import type { Batch } from './batches/micro-batch.ts';
import { batchLoss } from './loss.ts';
import type { FigureSums } from './preference/figures.ts';

/** A batch of any objective. */
export type TrainingBatch = Batch | PreferenceBatch;

/** A batch of preferences. */
export interface PreferenceBatch {
  /** Input tokens without padding, of the answers that are compared. */
  readonly tokens: number;
  /** How many items its loss is the mean of. */
  readonly weight: number;
  /** Its parts for the current weights of the model: KTO's depend on an estimate over the whole batch. */
  readonly parts: (model: LanguageModel, precision: ProductPrecision) => Promise<readonly BatchPart[]>;
}

/** A part of a batch that is computed at a time. The batch's loss is the mean of its parts' losses by their weights. */
export interface BatchPart {
  /** Its unmasked targets, or for preferences its items. */
  readonly weight: number;
  /** Call it inside tf.tidy. */
  readonly loss: (model: LanguageModel, dropout?: DropoutFactors | undefined) => PartLoss;
}

export interface PartLoss {
  readonly loss: tf.Scalar;
  /** What the figures of the history are computed from. */
  readonly measured?: Measured;
}

export interface Measured {
  readonly values: tf.Tensor;
  readonly figures: (values: ArrayLike<number>) => FigureSums;
}

interface BatchParts {
  readonly parts: readonly BatchPart[];
  readonly weight: number;
}

/** The parts of a batch, for the current weights of the model. */
export async function partsOf(
  model: LanguageModel,
  batch: TrainingBatch,
  precision: ProductPrecision,
): Promise<BatchParts> {
  if ('parts' in batch) return { parts: await batch.parts(model, precision), weight: batch.weight };
  const parts = batch.microBatches.map(
    (microBatch): BatchPart => ({
      weight: microBatch.targetCount,
      loss: (model, dropout) => ({ loss: batchLoss(model, microBatch, dropout) }),
    }),
  );
  return { parts, weight: batch.targetCount };
}
