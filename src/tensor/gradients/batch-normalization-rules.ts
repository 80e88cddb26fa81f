import * as tf from '@tensorflow/tfjs-core';
import type { GradientRules } from './gradient-rule.ts';
import { sumToShape } from './sum-to-shape.ts';

export const batchNormalizationRules: GradientRules = {
  /** y = scale n + offset with n = (x - mean) r, r = 1 / sqrt(variance + epsilon); a scale that is not there is 1. */
  FusedBatchNorm: {
    inputs: ['x', 'mean', 'variance', 'scale'],
    gradient: (dy, kept, { varianceEpsilon }) => {
      const [x, mean, variance] = [kept.at(0), kept.at(1), kept.at(2)];
      const [, , , scale = tf.scalar(1)] = kept.tensors;
      const r = tf.rsqrt(tf.add(variance, varianceEpsilon as number));
      const dx = tf.mul(tf.mul(dy, scale), r);
      const n = tf.mul(tf.sub(x, mean), r);
      return {
        x: () => sumToShape(dx, x.shape),
        mean: () => tf.neg(sumToShape(dx, mean.shape)),
        variance: () => sumToShape(tf.mul(tf.mul(dx, -0.5), tf.mul(n, r)), variance.shape),
        scale: () => sumToShape(tf.mul(dy, n), scale.shape),
        offset: () => sumToShape(dy, mean.shape),
      };
    },
  },
};
