import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import {
  causalAttention,
  hasOpenSizes,
  linear,
  openTensorBackend,
  withOpenSizes,
} from '../../src/tensor/index.ts';
import { openOnnxBackend } from '../../src/tensor/onnx/open-onnx-backend.ts';
import { tensorOf } from './numbers.ts';

/** Attention of rows of heads to each other after a projection, in as many ways to reshape as a model has. */
function pass(batch: number, length: number): tf.Tensor {
  return tf.tidy(() => {
    const x = tensorOf([batch * length, 12], { seed: batch });
    const projected = linear({
      x,
      weight: tensorOf([12, 36], { seed: 2 }),
      bias: tensorOf([36], { seed: 3 }),
    });
    const [query, key, value] = tf
      .split(projected, 3, 1)
      .map((part) => tf.transpose(tf.reshape(part, [batch, length, 3, 4]), [0, 2, 1, 3])) as [
      ...[tf.Tensor, tf.Tensor],
      tf.Tensor,
    ]; // split into three
    const prefix = tf.tile(tensorOf([1, 3, 2, 4], { seed: 4 }), [batch, 1, 1, 1]);
    const mask = tf.zeros([length, length + 2]);
    const keys = tf.concat([prefix, key], 2);
    const attended = causalAttention({ query, key: keys, value: tf.concat([prefix, value], 2), mask });
    return tf.gather(tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [batch * length, 12]), [0, length - 1]);
  });
}

const sizes = [
  [3, 5],
  [2, 5],
  [3, 7],
  [6, 2],
] as const;

describe.each(['native', 'binding'] as const)('on the %s runner', (runner) => {
  test('a pass with open sizes computes what it computes otherwise, and is compiled once where that is possible', async () => {
    const backend = await openOnnxBackend({ threads: 2, runner });
    expect(hasOpenSizes()).toBe(runner === 'native');
    const wanted = sizes.map(([batch, length]) => [...pass(batch, length).dataSync()]);
    const before = backend.statistics.sessionsCompiled;
    const found = sizes.map(([batch, length]) => [...withOpenSizes(() => pass(batch, length)).dataSync()]);
    expect(found).toEqual(wanted);
    expect(backend.statistics.sessionsCompiled - before).toBe(runner === 'native' ? 1 : 0);
  });
});

test('what was recorded before, with fixed sizes, is computed together with a pass of open sizes', async () => {
  const backend = await openOnnxBackend({ threads: 2, runner: 'native' });
  for (const size of [4, 6]) {
    const sum = tf.reshape(tf.add(tensorOf([size]), 1), [2, -1]);
    const doubled = withOpenSizes(() => tf.mul(tf.reshape(sum, [-1, 2]), 2));
    expect([...doubled.dataSync()]).toEqual([...sum.dataSync()].map((value) => Math.fround(value * 2)));
  }
  expect(backend.statistics.pendingNodes).toBe(0);
});

test('a backend that compiles nothing records as always', async () => {
  await openTensorBackend({ backend: 'cpu' });
  expect(hasOpenSizes()).toBe(false);
  expect([...withOpenSizes(() => tf.add([1, 2], 1)).dataSync()]).toEqual([2, 3]);
});
