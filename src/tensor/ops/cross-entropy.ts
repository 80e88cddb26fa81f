import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import { fused } from './fused.ts';
import { IGNORED_TARGET, targetLogProbabilities } from './target-log-probabilities.ts';

export interface CrossEntropyOptions {
  /** [N, V] */
  readonly logits: tf.Tensor;
  /** int32 [N]; a row whose target is -100 does not count */
  readonly targets: tf.Tensor;
  /** float32 [N]: how much each row counts; 1 where absent */
  readonly weights?: tf.Tensor | undefined;
  /** 'mean' (the default) divides by the sum of the weights of the rows that count, as PyTorch does; 'sum' does not */
  readonly reduction?: 'mean' | 'sum' | undefined;
}

/**
 * Cross-entropy of next-token targets, a scalar: sum of w_i (-log softmax(logits_i)[target_i]) / sum of w_i.
 * A row that does not count has a gradient of exactly zero. With no row that counts the mean is NaN.
 */
export function crossEntropy({
  logits,
  targets,
  weights,
  reduction = 'mean',
}: CrossEntropyOptions): tf.Tensor {
  return customGradient([logits], (keep) => {
    const rowWeights = weightsOfRows({ targets, weights, reduction }); // [N]
    const { logProbabilities, ofTargets } = targetLogProbabilities({ logits, targets });
    keep([logProbabilities, targets, rowWeights]);
    return { value: tf.neg(tf.sum(tf.mul(ofTargets, rowWeights))), gradient: crossEntropyGradient };
  });
}

/** d logits_i = dy w_i (softmax(logits_i) - onehot(target_i)). */
function crossEntropyGradient(dy: tf.Tensor, kept: tf.Tensor[]): tf.Tensor[] {
  const [logProbabilities, targets, rowWeights] = kept as [tf.Tensor, tf.Tensor, tf.Tensor]; // as kept above
  const factors = tf.mul(rowWeights, dy); // [N]
  const gradient = fused('CrossEntropyGradient', { inputs: { logProbabilities, targets, factors } });
  if (gradient !== null) return gradient;
  const [, vocabulary = 0] = logProbabilities.shape;
  const expected = tf.oneHot(tf.cast(targets, 'int32'), vocabulary, 1, 0, 'float32'); // [N, V]
  return [tf.mul(tf.sub(tf.exp(logProbabilities), expected), tf.reshape(factors, [-1, 1]))];
}

type Weighting = Pick<CrossEntropyOptions, 'targets' | 'weights' | 'reduction'>;

function weightsOfRows({ targets, weights, reduction }: Weighting): tf.Tensor {
  const counts = tf.cast(tf.notEqual(targets, tf.scalar(IGNORED_TARGET, 'int32')), 'float32');
  const weighted = weights === undefined ? counts : tf.mul(counts, weights);
  return reduction === 'sum' ? weighted : tf.div(weighted, tf.sum(weighted));
}
