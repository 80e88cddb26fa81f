import * as tf from '@tensorflow/tfjs-core';
import { type GradientRule, type GradientRules, sumToShape } from './gradient-rule.ts';

/** `reduced` with the reduced dimensions restored as ones, so that it broadcasts against `x`. */
function withReducedAxes(reduced: tf.Tensor, x: tf.Tensor, axis: unknown): tf.Tensor {
  const axes = axesOf(axis, x);
  return tf.reshape(
    reduced,
    x.shape.map((size, i) => (axes.includes(i) ? 1 : size)),
  );
}

function axesOf(axis: unknown, x: tf.Tensor): number[] {
  return tf.util.parseAxisParam((axis ?? [...x.shape.keys()]) as number | number[], x.shape);
}

/** The gradient goes to every element that holds the extreme value, as in tfjs. */
const extreme: GradientRule = {
  inputs: ['x'],
  output: true,
  gradient: (dy, kept, { reductionIndices, axis = reductionIndices }) => ({
    x: () => {
      const [x, y] = [kept.at(0), kept.at(1)];
      const chosen = tf.cast(tf.equal(x, withReducedAxes(y, x, axis)), 'float32');
      return tf.mul(withReducedAxes(dy, x, axis), chosen);
    },
  }),
};

export const reductionRules: GradientRules = {
  Cumsum: {
    gradient: (dy, _, { axis, exclusive, reverse }) => ({
      x: () => tf.cumsum(dy, axis as number, exclusive as boolean, !reverse),
    }),
  },
  /** y = scale n + offset with n = (x - mean) r, r = 1 / sqrt(variance + epsilon); a missing scale is 1. */
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
  LogSoftmax: {
    output: true,
    gradient: (dy, kept) => ({
      logits: () => tf.sub(dy, tf.mul(tf.sum(dy, -1, true), tf.exp(kept.at(0)))),
    }),
  },
  Max: extreme,
  Mean: {
    inputs: ['x'],
    gradient: (dy, kept, { axis }) => ({
      x: () => {
        const x = kept.at(0);
        const count = x.size / Math.max(1, dy.size);
        return tf.broadcastTo(tf.div(withReducedAxes(dy, x, axis), count), x.shape);
      },
    }),
  },
  Min: extreme,
  Prod: {
    inputs: ['x'],
    // The products of all elements before and after each one, so that there is no division by a zero.
    gradient: (dy, kept, { axis }) => ({
      x: () => productGradient(dy, kept.at(0), axesOf(axis, kept.at(0))),
    }),
  },
  Softmax: {
    output: true,
    gradient: (dy, kept, { dim }) => ({
      logits: () => {
        const weighted = tf.mul(dy, kept.at(0));
        return tf.sub(weighted, tf.mul(tf.sum(weighted, dim as number, true), kept.at(0)));
      },
    }),
  },
  Sum: {
    inputs: ['x'],
    // tfjs's own rule multiplies by an array of ones made on the host.
    gradient: (dy, kept, { axis }) => ({
      x: () => tf.broadcastTo(withReducedAxes(dy, kept.at(0), axis), kept.at(0).shape),
    }),
  },
};

function productGradient(dy: tf.Tensor, x: tf.Tensor, axes: number[]): tf.Tensor {
  const others = [...x.shape.keys()].filter((i) => !axes.includes(i));
  const order = [...others, ...axes];
  const grouped = tf.transpose(x, order);
  const rows = tf.reshape(grouped, [dy.size, x.size / Math.max(1, dy.size)]);
  const before = tf.cumprod(rows, 1, true);
  const after = tf.cumprod(rows, 1, true, true);
  const gradient = tf.mul(tf.mul(before, after), tf.reshape(dy, [dy.size, 1]));
  return tf.transpose(tf.reshape(gradient, grouped.shape), tf.backend_util.getUndoAxesPermutation(order));
}
