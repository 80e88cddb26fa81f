import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import { fused } from './fused.ts';

export interface LayerNormOptions {
  /** [..., C]; the last dimension is normalized */
  readonly x: tf.Tensor;
  /** [C] */
  readonly scale: tf.Tensor;
  /** [C] */
  readonly bias: tf.Tensor;
  readonly epsilon: number;
}

/**
 * Layer normalization (Ba et al. 2016, arXiv:1607.06450): y = scale (x - mean) / sqrt(variance + epsilon) + bias,
 * mean and biased variance over the last dimension: [..., C] -> [..., C].
 */
export function layerNorm({ x, scale, bias, epsilon }: LayerNormOptions): tf.Tensor {
  if (x.rank !== 2) {
    const rows = tf.reshape(x, [-1, scale.size]);
    return tf.reshape(layerNorm({ x: rows, scale, bias, epsilon }), x.shape);
  }
  return customGradient([x, scale, bias], (keep) => {
    const parts = fused('LayerNorm', { inputs: { x, scale, bias }, attributes: { epsilon } });
    const [value, mean, inverseDeviation] = (parts ?? normalized({ x, scale, bias, epsilon })) as Parts;
    keep([x, scale, mean, inverseDeviation]);
    return { value, gradient: layerNormGradient };
  });
}

/** The normalized tensor, and mean and 1 / deviation of each row, [N, 1]. */
type Parts = [tf.Tensor, tf.Tensor, tf.Tensor];

function normalized({ x, scale, bias, epsilon }: LayerNormOptions): Parts {
  const mean = tf.mean(x, -1, true);
  const centred = tf.sub(x, mean);
  const inverseDeviation = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
  return [tf.add(tf.mul(tf.mul(centred, inverseDeviation), scale), bias), mean, inverseDeviation];
}

/**
 * With n = (x - mean) / deviation and g = dy scale: dx = (g - mean(g) - n mean(g n)) / deviation. Both means are
 * products with scale / C, and 1 / deviation is taken into the narrow factors, to pass over [N, C] less often.
 */
function layerNormGradient(dy: tf.Tensor, kept: tf.Tensor[]): tf.Tensor[] {
  const [x, scale, mean, inverse] = kept as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]; // as kept above
  const [rows = 0, width = 0] = x.shape;
  const share = tf.reshape(tf.div(scale, width), [width, 1]);
  const centred = tf.sub(x, mean); // n deviation, [N, C]
  const weighted = tf.mul(dy, centred);
  const meanG = tf.matMul(dy, share); // [N, 1]
  const slope = tf.mul(tf.matMul(weighted, share), tf.mul(inverse, tf.mul(inverse, inverse))); // mean(g n) / deviation²
  const dx = tf.sub(tf.mul(tf.sub(tf.mul(dy, scale), meanG), inverse), tf.mul(centred, slope));
  const dScale = tf.matMul(tf.reshape(inverse, [1, rows]), weighted);
  return [dx, tf.reshape(dScale, [width]), tf.sum(dy, 0)];
}
