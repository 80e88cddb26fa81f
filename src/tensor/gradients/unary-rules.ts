import * as tf from '@tensorflow/tfjs-core';
import { type Attributes, type GradientRule, type GradientRules, onlyWhere } from './gradient-rule.ts';

/** The gradient of a function of one tensor, from dy and the function's argument. */
function ofInput(gradient: (dy: tf.Tensor, x: tf.Tensor, attributes: Attributes) => tf.Tensor): GradientRule {
  return {
    inputs: ['x'],
    gradient: (dy, kept, attributes) => ({ x: () => gradient(dy, kept.at(0), attributes) }),
  };
}

/** The gradient of a function of one tensor, from dy and the function's own value. */
function ofOutput(gradient: (dy: tf.Tensor, y: tf.Tensor) => tf.Tensor): GradientRule {
  return { output: true, gradient: (dy, kept) => ({ x: () => gradient(dy, kept.at(0)) }) };
}

const zero: GradientRule = { gradient: (dy) => ({ x: () => tf.zerosLike(dy) }) };

/** For functions whose value has another shape than their argument. */
const zeroOfInput = ofInput((_, x) => tf.zerosLike(x));

// The constants of Klambauer et al. 2017, arXiv:1706.02515, as tfjs's kernels have them.
const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

export const unaryRules: GradientRules = {
  Abs: ofInput((dy, x) => tf.mul(dy, tf.sign(x))),
  Acos: ofInput((dy, x) => tf.neg(tf.div(dy, tf.sqrt(tf.sub(1, tf.square(x)))))),
  Acosh: ofInput((dy, x) => tf.div(dy, tf.sqrt(tf.sub(tf.square(x), 1)))),
  ArgMax: zeroOfInput,
  ArgMin: zeroOfInput,
  Asin: ofInput((dy, x) => tf.div(dy, tf.sqrt(tf.sub(1, tf.square(x))))),
  Asinh: ofInput((dy, x) => tf.div(dy, tf.sqrt(tf.add(tf.square(x), 1)))),
  Atan: ofInput((dy, x) => tf.div(dy, tf.add(1, tf.square(x)))),
  Atanh: ofInput((dy, x) => tf.div(dy, tf.sub(1, tf.square(x)))),
  Cast: { gradient: (dy) => ({ x: () => tf.cast(dy, 'float32') }) },
  Ceil: zero,
  ClipByValue: ofInput((dy, x, { clipValueMin, clipValueMax }) =>
    onlyWhere(
      tf.logicalAnd(tf.greaterEqual(x, clipValueMin as number), tf.lessEqual(x, clipValueMax as number)),
      dy,
    ),
  ),
  Cos: ofInput((dy, x) => tf.neg(tf.mul(dy, tf.sin(x)))),
  Cosh: ofInput((dy, x) => tf.mul(dy, tf.sinh(x))),
  Elu: ofOutput((dy, y) => tf.where(tf.greater(y, 0), dy, tf.mul(dy, tf.add(y, 1)))),
  Erf: ofInput((dy, x) => tf.mul(tf.mul(dy, 2 / Math.sqrt(Math.PI)), tf.exp(tf.neg(tf.square(x))))),
  Exp: ofOutput((dy, y) => tf.mul(dy, y)),
  Expm1: ofInput((dy, x) => tf.mul(dy, tf.exp(x))),
  Floor: zero,
  Identity: { gradient: (dy) => ({ x: () => tf.cast(dy, 'float32') }) },
  IsFinite: zero,
  IsInf: zero,
  IsNan: zero,
  LeakyRelu: ofInput((dy, x, { alpha }) => tf.where(tf.greater(x, 0), dy, tf.mul(dy, alpha as number))),
  Log: ofInput((dy, x) => tf.div(dy, x)),
  Log1p: ofInput((dy, x) => tf.div(dy, tf.add(x, 1))),
  Neg: { gradient: (dy) => ({ x: () => tf.neg(dy) }) },
  OnesLike: zero,
  Reciprocal: ofOutput((dy, y) => tf.neg(tf.mul(dy, tf.square(y)))),
  Relu: ofOutput((dy, y) => onlyWhere(tf.greater(y, 0), dy)),
  Relu6: ofInput((dy, x) => onlyWhere(tf.logicalAnd(tf.greater(x, 0), tf.less(x, 6)), dy)),
  Round: zero,
  Rsqrt: ofOutput((dy, y) => tf.mul(tf.mul(dy, -0.5), tf.mul(y, tf.square(y)))),
  Selu: ofInput((dy, x) =>
    tf.where(
      tf.greater(x, 0),
      tf.mul(dy, SELU_SCALE),
      tf.mul(dy, tf.mul(tf.exp(tf.minimum(x, 0)), SELU_SCALE * SELU_ALPHA)),
    ),
  ),
  Sigmoid: ofOutput((dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
  Sign: zero,
  Sin: ofInput((dy, x) => tf.mul(dy, tf.cos(x))),
  Sinh: ofInput((dy, x) => tf.mul(dy, tf.cosh(x))),
  Softplus: ofInput((dy, x) => tf.mul(dy, tf.sigmoid(x))),
  Sqrt: ofOutput((dy, y) => tf.div(dy, tf.mul(y, 2))),
  Square: ofInput((dy, x) => tf.mul(dy, tf.mul(x, 2))),
  Step: zero,
  Tan: ofOutput((dy, y) => tf.mul(dy, tf.add(tf.square(y), 1))),
  Tanh: ofOutput((dy, y) => tf.mul(dy, tf.sub(1, tf.square(y)))),
  ZerosLike: zero,
};
