import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, test } from 'vitest';
import { backend, expectAgreement, looseOnWebgpu, openBothBackends, sample } from './both-backends.ts';

beforeAll(openBothBackends);

const everywhere = {
  abs: tf.abs,
  atan: tf.atan,
  asinh: tf.asinh,
  ceil: tf.ceil,
  cos: tf.cos,
  cosh: tf.cosh,
  elu: tf.elu,
  erf: tf.erf,
  exp: tf.exp,
  expm1: tf.expm1,
  floor: tf.floor,
  leakyRelu: (x: tf.Tensor) => tf.leakyRelu(x, 0.3),
  neg: tf.neg,
  onesLike: tf.onesLike,
  relu: tf.relu,
  relu6: tf.relu6,
  round: tf.round,
  selu: tf.selu,
  sigmoid: tf.sigmoid,
  sign: tf.sign,
  sin: tf.sin,
  sinh: tf.sinh,
  softplus: tf.softplus,
  square: tf.square,
  step: (x: tf.Tensor) => tf.step(x, 0.25),
  tan: tf.tan,
  tanh: tf.tanh,
  zerosLike: tf.zerosLike,
};

const aboveZero = { log: tf.log, log1p: tf.log1p, reciprocal: tf.reciprocal, rsqrt: tf.rsqrt, sqrt: tf.sqrt };
const withinOne = { acos: tf.acos, asin: tf.asin, atanh: tf.atanh };

const toleranceOf = (name: string) =>
  ['acos', 'asin', 'cos', 'sin', 'tan'].includes(name) ? looseOnWebgpu : undefined;

const someShapes = [[], [3], [2, 3], [0, 2], [2, 1, 3, 2]];
const each = <Functions extends object>(functions: Functions) =>
  Object.entries(functions) as [string, typeof tf.abs][];

describe('functions of one tensor agree with the cpu backend', () => {
  test.each(each(everywhere))('%s', async (name, apply) => {
    for (const shape of someShapes) await expectAgreement(() => apply(sample(shape)), toleranceOf(name));
  });

  test.each(each(aboveZero))('%s of numbers above zero', async (_, apply) => {
    for (const shape of someShapes) await expectAgreement(() => apply(tf.add(tf.abs(sample(shape)), 0.01)));
  });

  test.each(each(withinOne))('%s of numbers between -1 and 1', async (name, apply) => {
    for (const shape of someShapes)
      await expectAgreement(() => apply(tf.mul(sample(shape), 0.33)), toleranceOf(name));
  });

  test('acosh of numbers above one', () => expectAgreement(() => tf.acosh(tf.add(tf.abs(sample([9])), 1.1))));

  test.skipIf(backend === 'webgpu').each([
    ['log1p', tf.log1p],
    ['expm1', tf.expm1],
  ] as const)('%s is accurate near zero', async (_, apply) => {
    await expectAgreement(() => apply(tf.tensor([1e-8, -1e-7, 1e-5, 0, 1e-3])), 1e-9);
  });

  test.each(
    each({
      abs: tf.abs,
      neg: tf.neg,
      sign: tf.sign,
      square: tf.square,
      relu: tf.relu,
      zerosLike: tf.zerosLike,
    }),
  )('%s of integers gives integers', (_, apply) =>
    expectAgreement(() => apply(sample([2, 5], { dtype: 'int32' }))),
  );

  test.each(each({ isNaN: tf.isNaN, isInf: tf.isInf, isFinite: tf.isFinite }))(
    '%s of numbers, infinities and NaN',
    (_, apply) =>
      expectAgreement(() =>
        apply(tf.tensor([0, -1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])),
      ),
  );

  test.each([
    [-1, 1],
    [0, 0],
    [-5, 5],
  ])('clipByValue to %d .. %d', async (low, high) => {
    await expectAgreement(() => tf.clipByValue(sample([3, 4]), low, high));
    await expectAgreement(() => tf.clipByValue(sample([3, 4], { dtype: 'int32' }), low, high));
  });

  test('logicalNot', () => expectAgreement(() => tf.logicalNot(sample([7], { dtype: 'bool' }))));
  test('prelu', () => expectAgreement(() => tf.prelu(sample([4, 3]), sample([3], { seed: 2 }))));

  const types = ['float32', 'int32', 'bool'] as const;
  test.each(types.flatMap((from) => types.map((to) => [from, to] as const)))(
    'cast from %s to %s',
    (from, to) => expectAgreement(() => tf.cast(sample([2, 4], { dtype: from }), to)),
  );
});
