import * as tf from '@tensorflow/tfjs-core';
import { type GradientRule, type GradientRules, onlyWhere, sumToShape } from './gradient-rule.ts';

type Partial = (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

/** The gradient of a broadcasting function of two tensors, summed back to the shape of each. */
function binary(byA: Partial, byB: Partial): GradientRule {
  return {
    inputs: ['a', 'b'],
    gradient: (dy, kept) => {
      const [a, b] = [kept.at(0), kept.at(1)];
      return {
        a: () => sumToShape(byA(dy, a, b), a.shape),
        b: () => sumToShape(byB(dy, a, b), b.shape),
      };
    },
  };
}

/** The result of a comparison is constant almost everywhere. */
const comparison: GradientRule = {
  inputs: ['a', 'b'],
  gradient: (_, kept) => ({ a: () => tf.zerosLike(kept.at(0)), b: () => tf.zerosLike(kept.at(1)) }),
};

const quotient = binary(
  (dy, _, b) => tf.div(dy, tf.cast(b, 'float32')),
  (dy, a, b) => tf.neg(tf.div(tf.mul(dy, tf.cast(a, 'float32')), tf.square(tf.cast(b, 'float32')))),
);

export const binaryRules: GradientRules = {
  Add: binary(
    (dy) => dy,
    (dy) => dy,
  ),
  Equal: comparison,
  // As in tfjs, which divides integers with this kernel: the gradient of the exact quotient.
  FloorDiv: quotient,
  Greater: comparison,
  GreaterEqual: comparison,
  Less: comparison,
  LessEqual: comparison,
  Maximum: binary(
    (dy, a, b) => onlyWhere(tf.greaterEqual(a, b), dy),
    (dy, a, b) => onlyWhere(tf.less(a, b), dy),
  ),
  Minimum: binary(
    (dy, a, b) => onlyWhere(tf.lessEqual(a, b), dy),
    (dy, a, b) => onlyWhere(tf.greater(a, b), dy),
  ),
  Mod: binary(
    (dy) => dy,
    (dy, a, b) => tf.neg(tf.mul(dy, tf.floor(tf.div(a, b)))),
  ),
  Multiply: binary(
    (dy, _, b) => tf.mul(dy, tf.cast(b, 'float32')),
    (dy, a) => tf.mul(dy, tf.cast(a, 'float32')),
  ),
  NotEqual: comparison,
  Pow: binary(
    (dy, a, b) => tf.mul(dy, tf.mul(b, tf.pow(a, tf.sub(b, 1)))),
    // For a base that is not positive the derivative by the exponent is not real: 0, as in tfjs, and in PyTorch at 0.
    (dy, a, b) => tf.mul(dy, tf.where(tf.greater(a, 0), tf.mul(tf.pow(a, b), tf.log(a)), tf.zerosLike(dy))),
  ),
  // x where x is positive, alpha x elsewhere, with tfjs's names of the operands.
  Prelu: {
    inputs: ['x', 'alpha'],
    gradient: (dy, kept) => {
      const [x, alpha] = [kept.at(0), kept.at(1)];
      const isPositive = tf.greater(x, 0);
      return {
        x: () => sumToShape(tf.where(isPositive, dy, tf.mul(dy, alpha)), x.shape),
        alpha: () => sumToShape(tf.where(isPositive, tf.zerosLike(dy), tf.mul(dy, x)), alpha.shape),
      };
    },
  },
  RealDiv: quotient,
  SquaredDifference: binary(
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(a, b), 2)),
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(b, a), 2)),
  ),
  Sub: binary(
    (dy) => dy,
    (dy) => tf.neg(dy),
  ),
};
