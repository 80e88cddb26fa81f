import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import { fromFixture, type ListedTensor, readFixture } from './fixture.ts';
import { relativeError } from './numbers.ts';

interface GradientCase {
  readonly inputs: ListedTensor[];
  readonly dy: ListedTensor;
  readonly gradients: ListedTensor[];
}

const { cases } = readFixture<{ cases: Record<string, GradientCase> }>('gradients.json');

type Operation = (...inputs: [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]) => tf.Tensor;

const at = (tensors: tf.Tensor[], index: number): tf.Tensor => tensors[index] ?? tf.scalar(Number.NaN);
const indices = (values: number[], shape: number[]) => tf.tensor(values, shape, 'int32');

/** The operations that take other arguments than the tensors alone. */
const withSettings: Record<string, Operation> = {
  addN: (a, b) => tf.addN([a, b]),
  batchNorm: (x, mean, variance, offset, scale) =>
    tf.batchNorm(
      x as tf.Tensor4D,
      mean as tf.Tensor1D,
      variance as tf.Tensor1D,
      offset as tf.Tensor1D,
      scale as tf.Tensor1D,
      0.01,
    ),
  clipByValue: (x) => tf.clipByValue(x, -0.5, 0.5),
  concat: (a, b) => tf.concat([a, b], 1),
  cumsum: (x) => tf.cumsum(x, 1),
  gather: (x) => tf.gather(x, tf.tensor1d([2, 0, 2], 'int32'), 1),
  gatherInBatches: (x) => tf.gather(x, indices([3, 0, 1, 1], [2, 2]), 2, 1),
  gatherND: (x) => tf.gatherND(x, indices([0, 2, 1, 0, 0, 2], [3, 2])),
  leakyRelu: (x) => tf.leakyRelu(x, 0.3),
  logSumExp: (x) => tf.logSumExp(x, 1),
  max: (x) => tf.max(x, 1),
  mean: (x) => tf.mean(x, 1, true),
  min: (x) => tf.min(x, 1),
  pad: (x) => tf.pad(x, [[0, 1], [2, 1]]), // biome-ignore format: one pair a dimension
  prod: (x) => tf.prod(x, 1),
  reverse: (x) => tf.reverse(x, 1),
  slice: (x) => tf.slice(x, [1, 1], [1, 2]),
  split: (x) => tf.mul(at(tf.split(x, [1, 2], 1), 1), 2),
  stack: (a, b) => tf.stack([a, b], 1),
  sum: (x) => tf.sum(x, [0, 2]),
  tile: (x) => tf.tile(x, [2, 3]),
  transpose: (x) => tf.transpose(x, [2, 0, 1]),
  unsortedSegmentSum: (x) => tf.unsortedSegmentSum(x, tf.tensor1d([2, 0, 2, 1, 0], 'int32'), 3),
  unstack: (x) => tf.mul(at(tf.unstack(x, 1), 1), 2),
  where: (a, b) => tf.where(tf.tensor([1, 0, 1], [1, 3], 'bool'), a, b),
};

function operationOf(name: string): Operation {
  const named = Object.entries(tf).find(([exported]) => exported === name)?.[1];
  return withSettings[name] ?? (named as Operation); // called as the fixture's name says
}

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  beforeAll(async () => {
    await openTensorBackend({ backend, threads: 2 });
  });

  // The cpu backend computes products of batches that broadcast on both sides wrongly.
  const names = Object.keys(cases).filter((name) => backend !== 'cpu' || name !== 'matMul');
  test.each(names)("the gradient of %s is PyTorch's", (name) => {
    const wanted = cases[name] as GradientCase; // its name is a key
    const operation = operationOf(name) as (...tensors: tf.Tensor[]) => tf.Tensor;
    tf.tidy(() => {
      const found = tf.grads(operation)(wanted.inputs.map(fromFixture), fromFixture(wanted.dy));
      const errors = found.map((gradient, i) =>
        relativeError(gradient.dataSync(), wanted.gradients[i]?.values ?? []),
      );
      // A GPU's own sine and cosine are exact to about 2^-11.
      const tolerance = backend === 'webgpu' && ['sin', 'cos', 'tan'].includes(name) ? 5e-4 : 1e-5;
      expect(errors.filter((error) => error > tolerance)).toEqual([]);
    });
  });
});
