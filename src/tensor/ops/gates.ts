import * as tf from '@tensorflow/tfjs-core';
import { MASKED_SCORE } from './attention.ts';
import { customGradient } from './custom-gradient.ts';

interface GatesOptions {
  /** [N, E] */
  readonly logits: tf.Tensor;
  /** k, at most E */
  readonly chosen: number;
  /** Whether a row's gates are scaled to the sum 1. */
  readonly normalized: boolean;
}

/**
 * The gates of a mixture of experts: the softmax of each row, of which the k highest are kept and the others are 0.
 * Normalized, it is the softmax of the k logits alone.
 */
export function chosenOnly({ logits, chosen, normalized }: GatesOptions): tf.Tensor {
  const mask = highest(logits, chosen);
  if (!normalized) return tf.mul(tf.softmax(logits), mask);
  return tf.softmax(tf.add(logits, tf.mul(tf.sub(1, mask), MASKED_SCORE)));
}

/** [N, E]: 1 at the k highest of each row, of equal ones at the first, and 0 elsewhere. It has no gradient. */
export function highest(x: tf.Tensor, k: number): tf.Tensor {
  const [, size = 0] = x.shape;
  return customGradient([x], () => {
    const { indices } = tf.topk(x, k);
    const mask = tf.sum(tf.cast(tf.oneHot(tf.cast(indices, 'int32'), size), 'float32'), 1); // [N, k, E] -> [N, E]
    return { value: mask, gradient: (dy) => [tf.zerosLike(dy)] };
  });
}
