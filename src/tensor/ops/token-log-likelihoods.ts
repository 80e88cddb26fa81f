import * as tf from '@tensorflow/tfjs-core';
import { type LogitsAndTargets, targetLogProbabilities } from './target-log-probabilities.ts';

/** log softmax(logits_i)[target_i] of each row, natural logarithm, 0 where the target is -100: [N]. No gradient. */
export function tokenLogLikelihoods({ logits, targets }: LogitsAndTargets): tf.Tensor {
  return tf.tidy(() => targetLogProbabilities({ logits, targets }).ofTargets);
}
