import * as tf from '@tensorflow/tfjs-core';
import type { DropoutFactors } from '../../model/forward-pass.ts';
import type { LanguageModel } from '../../model/language-model.ts';
import type { BatchPieces } from '../batches/batch-pieces.ts';
import { type BatchPass, batchLoss } from './batch-loss.ts';

export interface LossAndGradients {
  readonly loss: number;
  /** By the parameters' names. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** What is dropped in a piece, by its place in the batch; undefined where nothing is. */
export type DropoutOfPieces = (piece: number) => DropoutFactors | undefined;

/** A batch's mean loss and its gradients, on the host. Pieces are weighted by their targets, so that they make no difference. */
export async function lossAndGradients(
  model: LanguageModel,
  { pieces, targetCount, dropout }: BatchPieces & { readonly dropout?: DropoutOfPieces | undefined },
): Promise<LossAndGradients> {
  const [first, ...others] = pieces;
  if (first === undefined) throw new Error('a batch without a target has no gradient');
  const whole = await ofPiece(model, { batch: first, dropout: dropout?.(0) });
  if (others.length === 0) return whole;
  let loss = 0;
  const sums = new Map([...whole.gradients].map(([name, { length }]) => [name, new Float32Array(length)]));
  for (const [place, piece] of pieces.entries()) {
    const part = place === 0 ? whole : await ofPiece(model, { batch: piece, dropout: dropout?.(place) });
    const share = piece.targetCount / targetCount;
    loss += share * part.loss;
    for (const [name, sum] of sums) {
      const values = part.gradients.get(name);
      if (values !== undefined) addScaled(sum, { values, scale: share });
    }
  }
  return { loss, gradients: sums };
}

/** All values are read at once, which a lazy backend computes in one go. */
async function ofPiece(model: LanguageModel, piece: BatchPass): Promise<LossAndGradients> {
  const { value, grads } = tf.variableGrads(() => batchLoss(model, piece), [...model.trainable.values()]);
  try {
    const [loss = Number.NaN] = await value.data();
    const gradients = new Map<string, Float32Array>();
    for (const [name, variable] of model.trainable) {
      const gradient = grads[variable.name];
      if (gradient !== undefined) gradients.set(name, await gradient.data<'float32'>());
    }
    return { loss, gradients };
  } finally {
    tf.dispose([value, grads]);
  }
}

function addScaled(sum: Float32Array, { values, scale }: { values: Float32Array; scale: number }): void {
  for (let index = 0; index < sum.length; index++)
    sum[index] = (sum[index] ?? 0) + scale * (values[index] ?? 0);
}
