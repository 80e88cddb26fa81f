import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { openTensorBackend, recycle } from '../../src/tensor/index.ts';
import { tensorOf } from './numbers.ts';

/** The numbers of x + 1, x + 2 and so on, each read, copied and recycled before the next. */
function sums(count: number, x: tf.Tensor) {
  const arrays: Float32Array[] = [];
  const numbers = Array.from({ length: count }, (_, i) => {
    const sum = tf.add(x, i + 1);
    const values = sum.dataSync<'float32'>();
    arrays.push(values);
    const copy = [...values];
    recycle([sum, sum]);
    return copy;
  });
  return { numbers, arrays };
}

describe.each(['onnx', 'cpu'] as const)('on the %s backend', (backend) => {
  beforeEach(async () => {
    await openTensorBackend({ backend, threads: 2 });
  });

  test('recycling arrays does not change results', () => {
    const x = tf.tensor([1, 2, 3]);
    expect(sums(3, x).numbers).toEqual([[2, 3, 4], [3, 4, 5], [4, 5, 6]]); // biome-ignore format: a row a sum
    expect([...x.dataSync()]).toEqual([1, 2, 3]);
  });

  test('two results never share an array that was recycled twice', () => {
    const x = tensorOf([64]);
    sums(1, x);
    const [a, b] = [tf.add(x, 1), tf.mul(x, 2)];
    const expected = [...x.dataSync()].flatMap((value) => [Math.fround(value + 1), Math.fround(value * 2)]);
    const [first, second] = [a.dataSync(), b.dataSync()];
    expect([...first].flatMap((value, i) => [value, second[i]])).toEqual(expected);
  });

  test("a caller's array, or one that another tensor still holds, is not recycled", () => {
    const mine = new Float32Array(64).fill(7);
    recycle([tf.tensor(mine)]);
    const sum = tf.add(tensorOf([64]), 1);
    const [before, other] = [[...sum.dataSync()], tf.reshape(sum, [8, 8])];
    recycle([sum]);
    expect(tf.neg(tensorOf([64], { seed: 2 })).dataSync()).not.toBe(mine);
    expect([new Set(mine), [...other.dataSync()]]).toEqual([new Set([7]), before]);
  });

  test('a pending result of a recycled tensor is computed from its old values', () => {
    const sum = tf.add(tensorOf([64]), 1);
    const before = [...sum.dataSync()];
    const waiting = tf.neg(sum);
    recycle([sum]);
    tf.add(tensorOf([64], { seed: 2 }), 1).dataSync();
    expect([...waiting.dataSync()]).toEqual(before.map((value) => -value));
  });

  test('recycled tensors are disposed of', () => {
    const before = tf.memory().numTensors;
    recycle([tf.tensor([1]), tf.neg(tf.scalar(2))]);
    expect(tf.memory().numTensors).toBe(before + 1);
  });
});

test('the native runner writes results into recycled arrays', async () => {
  await openTensorBackend({ backend: 'onnx', threads: 2, runner: 'native' });
  const { arrays } = sums(4, tensorOf([1_000]));
  expect(new Set(arrays).size).toBe(1);
});
