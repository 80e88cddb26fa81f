import * as tf from '@tensorflow/tfjs-core';
import type { DropoutFactors } from '../../model/forward-pass.ts';
import type { LanguageModel } from '../../model/language-model.ts';
import { recycle } from '../../tensor/index.ts';
import type { BatchPieces } from '../batches/batch-pieces.ts';
import { addScaled } from './add-scaled.ts';
import { type BatchPass, batchLoss } from './batch-loss.ts';

export interface LossAndGradients {
  readonly loss: number;
  /** By the parameters' names, computed already; the caller's to dispose of. */
  readonly gradients: ReadonlyMap<string, tf.Tensor>;
}

/** What is dropped in a piece, by its place in the batch; undefined where nothing is. */
export type DropoutOfPieces = (piece: number) => DropoutFactors | undefined;

/** A batch's mean loss and its gradients. Pieces are weighted by their targets, so that they make no difference. */
export async function lossAndGradients(
  model: LanguageModel,
  { pieces, targetCount, dropout }: BatchPieces & { readonly dropout?: DropoutOfPieces | undefined },
): Promise<LossAndGradients> {
  const [first, ...others] = pieces;
  if (first === undefined) throw new Error('a batch without a target has no gradient');
  if (others.length === 0) return ofPiece(model, { batch: first, dropout: dropout?.(0) });
  let loss = 0;
  const sums = new Map<string, tf.Tensor>();
  for (const [place, piece] of pieces.entries()) {
    const part = await ofPiece(model, { batch: piece, dropout: dropout?.(place) });
    const scale = piece.targetCount / targetCount;
    loss += scale * part.loss;
    for (const [name, gradient] of part.gradients)
      sums.set(name, addScaled(sums.get(name), { gradient, scale }));
    recycle([...part.gradients.values()]);
  }
  return { loss, gradients: sums };
}

/** Reading the loss has a lazy backend compute all gradients with it, in one go. */
async function ofPiece(model: LanguageModel, piece: BatchPass): Promise<LossAndGradients> {
  const { value, grads } = tf.variableGrads(() => batchLoss(model, piece), [...model.trainable.values()]);
  const [loss = Number.NaN] = await value.data();
  value.dispose();
  const gradients = new Map<string, tf.Tensor>();
  for (const [name, variable] of model.trainable) {
    const gradient = grads[variable.name];
    if (gradient !== undefined) gradients.set(name, gradient);
  }
  return { loss, gradients };
}
