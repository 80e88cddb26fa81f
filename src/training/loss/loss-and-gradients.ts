import * as tf from '@tensorflow/tfjs-core';
import type { LanguageModel } from '../../model/language-model.ts';
import type { PaddedBatch } from '../batches/pad-batch.ts';
import { batchLoss } from './batch-loss.ts';

export interface LossAndGradients {
  readonly loss: number;
  /** By the parameters' names. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** A batch's loss and its gradients, on the host. All of them are read at once, which a lazy backend computes in one go. */
export async function lossAndGradients(model: LanguageModel, batch: PaddedBatch): Promise<LossAndGradients> {
  const { value, grads } = tf.variableGrads(() => batchLoss(model, batch), [...model.parameters.values()]);
  try {
    const [loss = Number.NaN] = await value.data();
    const gradients = new Map<string, Float32Array>();
    for (const [name, variable] of model.parameters) {
      const gradient = grads[variable.name];
      if (gradient !== undefined) gradients.set(name, await gradient.data<'float32'>());
    }
    return { loss, gradients };
  } finally {
    tf.dispose([value, grads]);
  }
}
