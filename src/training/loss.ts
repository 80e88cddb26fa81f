import * as tf from '@tensorflow/tfjs-core';
import {
  type DropoutFactors,
  type LanguageModel,
  type ModelConfig,
  packedRows,
  paddedRows,
  type Tokens,
} from '../model/index.ts';
import { crossEntropy, embeddingLookup } from '../tensor/index.ts';
import { ignoredTarget, type MicroBatch } from './batches/micro-batch.ts';
import { routerLoss } from './router-loss.ts';

/**
 * The mean cross-entropy over a micro-batch's M unmasked targets, with the routers' loss of a model that asks for it. The head, a large part of a model, is computed at
 * these of the N positions only. Call it inside tf.tidy.
 */
export function batchLoss(
  model: LanguageModel,
  microBatch: MicroBatch,
  dropout?: DropoutFactors | undefined,
): tf.Scalar {
  const { positions, targets } = unmaskedTargets(microBatch.targets);
  const router = routerLoss(model.config, microBatch);
  const tokens = tokensOf(model.config, microBatch, dropout);
  const hidden = model.hidden({ ...tokens, routed: router?.routed }); // [N, C]
  const unmasked = embeddingLookup({ table: hidden, ids: tf.tensor1d(positions, 'int32') }); // [M, C]
  const logits = model.logits(unmasked, { dropout }); // [M, V]
  const loss = crossEntropy({ logits, targets: tf.tensor1d(targets, 'int32') }) as tf.Scalar; // a mean has no axes left
  return router === undefined ? loss : tf.add(loss, router.value());
}

/** A micro-batch as the input of a forward pass. Call it inside tf.tidy. */
export function tokensOf(
  config: ModelConfig,
  microBatch: MicroBatch,
  dropout?: DropoutFactors | undefined,
): Tokens {
  const { inputs: ids, rows, length } = microBatch;
  switch (microBatch.layout) {
    case 'padded':
      return paddedRows(config, { ids, batch: rows, length, lengths: microBatch.lengths, dropout });
    case 'packed':
      return packedRows(config, { ...microBatch, ids, batch: rows, length, dropout });
    default:
      return microBatch satisfies never;
  }
}

/** M is rounded up to a multiple of N / 8, because every other number is another shape to compile. */
export function roundedCount(count: number, all: number): number {
  const part = Math.ceil(all / parts);
  return Math.min(all, part * Math.ceil(count / part));
}

const parts = 8;

/**
 * Applies the loss mask: the positions whose target is not -100, padded with position 0, and the targets there, padded
 * with -100.
 */
export function unmaskedTargets(all: Int32Array): {
  readonly positions: Int32Array;
  readonly targets: Int32Array;
} {
  const unmasked = Array.from(all.keys()).filter((position) => all[position] !== ignoredTarget);
  const length = roundedCount(unmasked.length, all.length);
  const positions = new Int32Array(length);
  const targets = new Int32Array(length).fill(ignoredTarget);
  for (const [row, position] of unmasked.entries()) {
    positions[row] = position;
    targets[row] = all[position] ?? ignoredTarget;
  }
  return { positions, targets };
}
