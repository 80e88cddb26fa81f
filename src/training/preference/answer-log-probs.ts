import * as tf from '@tensorflow/tfjs-core';
import type { LanguageModel, Tokens } from '../../model/index.ts';
import {
  embeddingLookup,
  type ProductPrecision,
  targetLogLikelihoods,
  withProductPrecision,
} from '../../tensor/index.ts';
import type { TargetedText } from '../batches/batch-plan.ts';
import {
  type BatchLayout,
  ignoredTarget,
  layOut,
  type MicroBatch,
  positionOf,
} from '../batches/micro-batch.ts';
import { roundedCount, tokensOf } from '../loss.ts';

/** A text, and in `learned` other targets of it, whose log-probabilities are summed over all texts. */
export interface SummedText extends TargetedText {
  readonly learned?: Int32Array;
}

/** Texts that are computed together, with what is summed of them. */
export interface SummedTexts {
  readonly microBatch: MicroBatch;
  /** [M], padded with position 0. */
  readonly positions: Int32Array;
  /** [M], padded with -100. */
  readonly targets: Int32Array;
  /** [R + 1, M]: 1 where a target counts in a text's sum; the last row is that of `learned`. */
  readonly counts: Float32Array;
  readonly texts: number;
}

export function summedTexts(texts: readonly SummedText[], layout: BatchLayout): SummedTexts {
  const microBatch = layOut(texts, layout);
  const counted = texts.flatMap((text, row) =>
    Array.from(text.targets, (target, index) => ({
      row,
      isCompared: target !== ignoredTarget,
      isLearned: text.learned !== undefined && text.learned[index] !== ignoredTarget,
      target: target === ignoredTarget ? (text.learned?.[index] ?? ignoredTarget) : target,
      position: positionOf(microBatch, { row, index }),
    })).filter(({ isCompared, isLearned }) => isCompared || isLearned),
  );
  const length = Math.max(1, roundedCount(counted.length, microBatch.inputs.length));
  const positions = new Int32Array(length);
  const targets = new Int32Array(length).fill(ignoredTarget);
  const counts = new Float32Array((texts.length + 1) * length);
  for (const [column, { row, isCompared, isLearned, target, position }] of counted.entries()) {
    positions[column] = position;
    targets[column] = target;
    if (isCompared) counts[row * length + column] = 1;
    if (isLearned) counts[texts.length * length + column] = 1;
  }
  return { microBatch, positions, targets, counts, texts: texts.length };
}

/**
 * The log-probability of each text's targets, summed, and last that of everything learned: [R + 1]. The head is computed
 * at the M counted positions only. Call it inside tf.tidy.
 */
export function logProbs(
  model: LanguageModel,
  { microBatch, positions, targets, counts, texts }: SummedTexts,
  { dropout, routed }: Pick<Tokens, 'dropout' | 'routed'> = {},
): tf.Tensor {
  const hidden = model.hidden({ ...tokensOf(model.config, microBatch, dropout), routed }); // [N, C]
  const counted = embeddingLookup({ table: hidden, ids: tf.tensor1d(positions, 'int32') }); // [M, C]
  const logits = model.logits(counted, { dropout }); // [M, V]
  const each = targetLogLikelihoods({ logits, targets: tf.tensor1d(targets, 'int32') }); // [M]
  const rows = tf.tensor2d(counts, [texts + 1, positions.length]);
  return tf.reshape(tf.matMul(rows, tf.reshape(each, [-1, 1])), [-1]);
}

/** The numbers of `logProbs`, without a gradient: [R]. */
export async function logProbValues(
  model: LanguageModel,
  texts: SummedTexts,
  precision: ProductPrecision,
): Promise<readonly number[]> {
  const sums = withProductPrecision(precision, () => tf.tidy(() => logProbs(model, texts)));
  const values = await sums.data<'float32'>();
  sums.dispose();
  return [...values.subarray(0, texts.texts)];
}
