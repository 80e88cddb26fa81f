import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import { fused } from './fused.ts';

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
    const [value, inverse] = (parts ?? normalized({ x, scale, epsilon })) as [tf.Tensor, tf.Tensor]; // two, either way
    keep([x, scale, inverse]);
    return { value, gradient: rmsNormGradient };
  });
}

/** The normalized tensor, and 1 / root mean square of each row, [N, 1]. */
function normalized({ x, scale, epsilon }: RmsNormOptions): tf.Tensor[] {
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
