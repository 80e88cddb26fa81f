import * as tf from '@tensorflow/tfjs-core';
import { customGradient, fused } from './custom-gradient.ts';

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
    const [value, mean, inverseDeviation] = (parts ?? layerNormParts({ x, scale, bias, epsilon })) as Parts;
    keep([x, scale, mean, inverseDeviation]);
    return { value, gradient: layerNormGradient };
  });
}

/** The normalized tensor, and the mean and 1 / deviation of each row, [N, 1]. */
type Parts = [tf.Tensor, tf.Tensor, tf.Tensor];

function layerNormParts({ x, scale, bias, epsilon }: LayerNormOptions): Parts {
  const mean = tf.mean(x, -1, true);
  const centered = tf.sub(x, mean);
  const inverseDeviation = tf.rsqrt(tf.add(tf.mean(tf.square(centered), -1, true), epsilon));
  return [tf.add(tf.mul(tf.mul(centered, inverseDeviation), scale), bias), mean, inverseDeviation];
}

/**
 * With n = (x - mean) / deviation and g = dy scale: dx = (g - mean(g) - n mean(g n)) / deviation. Both means are
 * products with scale / C, and 1 / deviation is folded into the narrow factors, to pass over [N, C] less often.
 */
function layerNormGradient(dy: tf.Tensor, kept: tf.Tensor[]): tf.Tensor[] {
  const [x, scale, mean, inverse] = kept as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]; // as kept above
  const [rows = 0, width = 0] = x.shape;
  const share = tf.reshape(tf.div(scale, width), [width, 1]);
  const centered = tf.sub(x, mean); // n deviation, [N, C]
  const weighted = tf.mul(dy, centered);
  const meanG = tf.matMul(dy, share); // [N, 1]
  const slope = tf.mul(tf.matMul(weighted, share), tf.mul(inverse, tf.mul(inverse, inverse))); // mean(g n) / deviation²
  const dx = tf.sub(tf.mul(tf.sub(tf.mul(dy, scale), meanG), inverse), tf.mul(centered, slope));
  const dScale = tf.matMul(tf.reshape(inverse, [1, rows]), weighted);
  return [dx, tf.reshape(dScale, [width]), tf.sum(dy, 0)];
}

export interface RmsNormOptions {
  /** [N, C]; each row is normalized */
  readonly x: tf.Tensor;
  /** [C] */
  readonly scale: tf.Tensor;
  readonly epsilon: number;
}

/**
 * Root mean square normalization (Zhang and Sennrich 2019, arXiv:1910.07467): y = scale x / sqrt(mean(x²) + epsilon),
 * the mean over each row: [N, C] -> [N, C].
 */
export function rmsNorm({ x, scale, epsilon }: RmsNormOptions): tf.Tensor {
  return customGradient([x, scale], (keep) => {
    const parts = fused('RmsNorm', { inputs: { x, scale }, attributes: { epsilon } });
    const [value, inverse] = (parts ?? rmsNormParts({ x, scale, epsilon })) as [tf.Tensor, tf.Tensor]; // two, either way
    keep([x, scale, inverse]);
    return { value, gradient: rmsNormGradient };
  });
}

/** The normalized tensor, and 1 / root mean square of each row, [N, 1]. */
function rmsNormParts({ x, scale, epsilon }: RmsNormOptions): tf.Tensor[] {
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.mul(x, x), -1, true), epsilon));
  return [tf.mul(tf.mul(x, inverse), scale), inverse];
}

/** With r = 1 / root mean square: dx = r dy scale - r³ x mean(dy scale x), and dscale = sum of r dy x over the rows. */
function rmsNormGradient(dy: tf.Tensor, kept: tf.Tensor[]): tf.Tensor[] {
  const [x, scale, inverse] = kept as [tf.Tensor, tf.Tensor, tf.Tensor]; // as kept above
  const [rows = 0, width = 0] = x.shape;
  const weighted = tf.mul(dy, x); // [N, C]
  const mean = tf.matMul(weighted, tf.reshape(tf.div(scale, width), [width, 1])); // [N, 1]
  const slope = tf.mul(mean, tf.mul(inverse, tf.mul(inverse, inverse)));
  const dx = tf.sub(tf.mul(tf.mul(dy, scale), inverse), tf.mul(x, slope));
  const dScale = tf.matMul(tf.reshape(inverse, [1, rows]), weighted);
  return [dx, tf.reshape(dScale, [width])];
}
