import * as tf from '@tensorflow/tfjs-core';
import { customGradient, type Differentiated, fused } from './custom-gradient.ts';

/**
 * Mean cross-entropy of next-token targets, a scalar: the mean of -log softmax(logits_i)[target_i] over the rows that are
 * not ignored, as in PyTorch. An ignored row has a gradient of exactly zero. If every row is ignored the mean is NaN.
 */
export function crossEntropy({ logits, targets }: LogitsAndTargets): tf.Tensor {
  return customGradient([logits], (keep) => {
    const shares = rowShares(targets); // [N]
    const sparse = fused('SparseCrossEntropy', { inputs: { logits, targets } });
    if (sparse !== null) return fromSlopes(sparse as [tf.Tensor, tf.Tensor], { shares, keep }); // the kernel's two outputs
    const [logProbabilities, ofTargets] = targetLogProbabilities({ logits, targets });
    keep([logProbabilities, targets, shares]);
    return { value: tf.neg(tf.sum(tf.mul(ofTargets, shares))), gradient: crossEntropyGradient };
  });
}

/**
 * log softmax(logits_i)[target_i] of each row, natural logarithm, 0 where the target is -100: [N]. Multiply the values of
 * such ignored rows by 0: their gradient is not zero by itself.
 */
export function targetLogLikelihoods({ logits, targets }: LogitsAndTargets): tf.Tensor {
  return customGradient([logits], (keep) => {
    const sparse = fused('SparseCrossEntropy', { inputs: { logits, targets } });
    if (sparse !== null) {
      const [ofTargets, slopes] = sparse as [tf.Tensor, tf.Tensor]; // the kernel's two outputs
      keep([slopes]);
      const gradient = (dy: tf.Tensor, kept: tf.Tensor[]) =>
        kept.map((slopes) => tf.mul(slopes, tf.reshape(tf.neg(dy), [-1, 1])));
      return { value: ofTargets, gradient };
    }
    const [logProbabilities, ofTargets] = targetLogProbabilities({ logits, targets });
    keep([logProbabilities, targets]);
    return { value: ofTargets, gradient: (dy, kept) => logProbabilityGradient(tf.neg(dy), kept) };
  });
}

/** For a backend that computes the slopes softmax(logits) - onehot(target) along with the value. */
function fromSlopes(
  [ofTargets, slopes]: [tf.Tensor, tf.Tensor],
  { shares, keep }: { readonly shares: tf.Tensor; readonly keep: (tensors: tf.Tensor[]) => void },
): Differentiated {
  keep([slopes, shares]);
  return {
    value: tf.neg(tf.sum(tf.mul(ofTargets, shares))),
    gradient: (dy, kept) => {
      const [slopes, shares] = kept as [tf.Tensor, tf.Tensor]; // as kept above
      return [tf.mul(slopes, tf.reshape(tf.mul(shares, dy), [-1, 1]))];
    },
  };
}

/** d logits_i = dy share_i (softmax(logits_i) - onehot(target_i)). */
function crossEntropyGradient(dy: tf.Tensor, kept: tf.Tensor[]): tf.Tensor[] {
  const [logProbabilities, targets, shares] = kept as [tf.Tensor, tf.Tensor, tf.Tensor]; // as kept above
  return logProbabilityGradient(tf.mul(shares, dy), [logProbabilities, targets]);
}

/** d logits_i = factor_i (softmax(logits_i) - onehot(target_i)); `factors` are [N]. */
function logProbabilityGradient(factors: tf.Tensor, kept: readonly tf.Tensor[]): tf.Tensor[] {
  const [logProbabilities, targets] = kept as readonly [tf.Tensor, tf.Tensor]; // as kept by the callers
  const gradient = fused('CrossEntropyGradient', { inputs: { logProbabilities, targets, factors } });
  if (gradient !== null) return gradient;
  const [, vocabulary = 0] = logProbabilities.shape;
  const expected = tf.oneHot(tf.cast(targets, 'int32'), vocabulary, 1, 0, 'float32'); // [N, V]
  return [tf.mul(tf.sub(tf.exp(logProbabilities), expected), tf.reshape(factors, [-1, 1]))];
}

/** The weight of each row in the mean: 1 / number of rows that are not ignored, or 0 for an ignored row. */
function rowShares(targets: tf.Tensor): tf.Tensor {
  const counts = tf.cast(tf.notEqual(targets, tf.scalar(IGNORED_TARGET, 'int32')), 'float32');
  return tf.div(counts, tf.sum(counts));
}

/** log softmax(logits_i)[target_i] of each row, natural logarithm, 0 where the target is -100: [N]. No gradient. */
export function tokenLogLikelihoods({ logits, targets }: LogitsAndTargets): tf.Tensor {
  return tf.tidy(() => targetLogProbabilities({ logits, targets })[1]);
}

/** The target of an ignored row, as in PyTorch's cross_entropy. */
export const IGNORED_TARGET = -100;

export interface LogitsAndTargets {
  /** [N, V] */
  readonly logits: tf.Tensor;
  /** int32 [N]; -100 for an ignored row */
  readonly targets: tf.Tensor;
}

/** Log softmax of the logits, [N, V], and its entry at each row's target, 0 for an ignored row, [N]. No gradient. */
function targetLogProbabilities({ logits, targets }: LogitsAndTargets): [tf.Tensor, tf.Tensor] {
  const parts = fused('TargetLogProbabilities', { inputs: { logits, targets } });
  if (parts !== null) return parts as [tf.Tensor, tf.Tensor]; // the kernel's two outputs
  const [, vocabulary = 0] = logits.shape;
  const logProbabilities = tf.logSoftmax(logits);
  const picked = tf.oneHot(tf.cast(targets, 'int32'), vocabulary, 1, 0, 'float32'); // all zero where ignored
  return [logProbabilities, tf.sum(tf.mul(logProbabilities, picked), 1)];
}
