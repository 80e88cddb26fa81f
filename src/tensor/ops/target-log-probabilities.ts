import * as tf from '@tensorflow/tfjs-core';
import { fused } from './fused.ts';

/** The target of a row that does not count, as in PyTorch's cross_entropy. */
export const IGNORED_TARGET = -100;

export interface LogitsAndTargets {
  /** [N, V] */
  readonly logits: tf.Tensor;
  /** int32 [N]; -100 for a row that does not count */
  readonly targets: tf.Tensor;
}

export interface TargetLogProbabilities {
  /** log softmax of the logits, [N, V] */
  readonly logProbabilities: tf.Tensor;
  /** Its entry at each row's target, 0 for an ignored row, [N] */
  readonly ofTargets: tf.Tensor;
}

/** Log probabilities of a vocabulary, and those of the given targets. Not differentiated. */
export function targetLogProbabilities({ logits, targets }: LogitsAndTargets): TargetLogProbabilities {
  const parts = fused('TargetLogProbabilities', { inputs: { logits, targets } });
  if (parts !== null) {
    const [logProbabilities, ofTargets] = parts as [tf.Tensor, tf.Tensor]; // the two that the kernel gives
    return { logProbabilities, ofTargets };
  }
  const [, vocabulary = 0] = logits.shape;
  const logProbabilities = tf.logSoftmax(logits);
  const picked = tf.oneHot(tf.cast(targets, 'int32'), vocabulary, 1, 0, 'float32'); // all zero where ignored
  return { logProbabilities, ofTargets: tf.sum(tf.mul(logProbabilities, picked), 1) };
}
