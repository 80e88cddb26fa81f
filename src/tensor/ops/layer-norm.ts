import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';

export interface LayerNormOptions {
  /** [N, C]; the last dimension is normalized */
  readonly x: tf.Tensor;
  /** [C] */
  readonly scale: tf.Tensor;
  /** [C] */
  readonly bias: tf.Tensor;
  readonly epsilon: number;
}

/**
 * Layer normalization (Ba et al. 2016, arXiv:1607.06450): y = scale (x - mean) / sqrt(variance + epsilon) + bias,
 * mean and biased variance over the last dimension: [N, C] -> [N, C].
 */
export function layerNorm({ x, scale, bias, epsilon }: LayerNormOptions): tf.Tensor {
  return customGradient([x, scale, bias], (keep) => {
    const mean = tf.mean(x, -1, true); // [N, 1]
    const centred = tf.sub(x, mean);
    const inverseDeviation = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon)); // [N, 1]
    keep([x, scale, mean, inverseDeviation]);
    return {
      value: tf.add(tf.mul(tf.mul(centred, inverseDeviation), scale), bias),
      gradient: layerNormGradient,
    };
  });
}

/** With n = (x - mean) / deviation and g = dy scale: dx = (g - mean(g) - n mean(g n)) / deviation. */
function layerNormGradient(dy: tf.Tensor, kept: tf.Tensor[]): tf.Tensor[] {
  const [x, scale, mean, inverseDeviation] = kept as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]; // as kept above
  const normal = tf.mul(tf.sub(x, mean), inverseDeviation); // [N, C]
  const g = tf.mul(dy, scale);
  const meanG = tf.mean(g, -1, true); // [N, 1]
  const meanGNormal = tf.mean(tf.mul(g, normal), -1, true);
  const dx = tf.mul(tf.sub(tf.sub(g, meanG), tf.mul(normal, meanGNormal)), inverseDeviation);
  return [dx, sumToLast(tf.mul(dy, normal)), sumToLast(dy)];
}

function sumToLast(x: tf.Tensor): tf.Tensor {
  return tf.sum(x, [...x.shape.keys()].slice(0, -1));
}
