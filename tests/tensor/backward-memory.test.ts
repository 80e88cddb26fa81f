import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { gelu, openTensorBackend } from '../../src/tensor/index.ts';
import { customGradient } from '../../src/tensor/ops/custom-gradient.ts';
import { backendsUnderTest } from '../backends-under-test.ts';

/** The number of tensors when the first operation's gradient, the last to be computed, is computed. */
function tensorsAtTheEnd(operations: number): number {
  let count = Number.NaN;
  const watched = (x: tf.Tensor) =>
    customGradient([x], () => ({
      value: tf.neg(x),
      gradient: (dy) => {
        count = tf.memory().numTensors;
        return [tf.neg(dy)];
      },
    }));
  tf.tidy(() => {
    const model = (x: tf.Tensor) => {
      let y = watched(x);
      for (let index = 1; index < operations; index++) y = gelu(y);
      return tf.sum(y);
    };
    tf.grad(model)(tf.tensor([1, 2, 3])).dataSync();
  });
  return count;
}

describe.each(backendsUnderTest)('a backward pass on the %s backend', (backend) => {
  beforeAll(async () => {
    await openTensorBackend({ backend });
  });

  test('holds no more tensors at its end after many operations than after few', () => {
    expect(tensorsAtTheEnd(30)).toBe(tensorsAtTheEnd(4));
  });

  test('does not dispose of a gradient that the caller passed in', () => {
    const [x, dy] = [tf.tensor([0]), tf.tensor([2])];
    const gradient = tf.grad(gelu)(x, dy);
    expect([[...gradient.dataSync()], [...dy.dataSync()]]).toEqual([[1], [2]]);
    tf.dispose([x, dy, gradient]);
  });
});
