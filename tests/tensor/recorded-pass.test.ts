import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  constantWeights,
  hasOpenSizes,
  linear,
  openTensorBackend,
  RecordedPass,
  refresh,
  withOpenSizes,
} from '../../src/tensor/index.ts';
import { openOnnxBackend } from '../../src/tensor/onnx/open-onnx-backend.ts';
import { backendsUnderTest } from '../backends-under-test.ts';

/** x w + shift, of rows that the caller changes; `shift` is a number that the pass computes on the host. */
function passOver(x: Float32Array, { weight, shift }: { weight: tf.Tensor; shift: () => tf.Tensor }) {
  const counted = { times: 0 };
  const pass = new RecordedPass(() => {
    counted.times++;
    const rows = tf.tensor2d(x, [x.length / 2, 2]);
    return withOpenSizes(() => [tf.add(linear({ x: rows, weight }), shift()), tf.sum(rows)]);
  });
  const run = async () => (await pass.run()).map((array) => [...array]);
  return { counted, pass, run };
}

/** Of x = [n, 2 n] and w = [1, 10]. */
const expected = (n: number, shift: number) => [[21 * n + shift], [3 * n]];

const setAll = (x: Float32Array, n: number) => x.set([n, 2 * n]);

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  beforeEach(async () => {
    await openTensorBackend({ backend, threads: 2 });
  });

  test('a recorded pass reads the numbers that are in its arrays when it runs, and leaves no tensor', async () => {
    const weight = tf.variable(tf.tensor2d([1, 10], [2, 1]));
    const before = tf.memory().numTensors;
    const x = new Float32Array(2);
    const { counted, pass, run } = passOver(x, { weight, shift: () => tf.scalar(5) });
    for (const n of [1, 2, 3, 4, 5]) {
      setAll(x, n);
      expect(await run()).toEqual(expected(n, 5));
    }
    expect(counted.times).toBe(hasOpenSizes() ? 2 : 5);
    expect(tf.memory().numTensors).toBe(before);
    pass[Symbol.dispose]();
    weight.dispose();
  });

  test('a number that the pass computes on the host follows the arrays if it is refreshed', async () => {
    const weight = tf.variable(tf.tensor2d([1, 10], [2, 1]));
    const x = new Float32Array(2);
    const shift = () => {
      const halved = new Float32Array(1);
      refresh(() => halved.set([(x[0] ?? 0) / 2]));
      return tf.tensor1d(halved);
    };
    const { counted, pass, run } = passOver(x, { weight, shift });
    for (const n of [1, 2, 3, 4]) {
      setAll(x, n);
      expect(await run()).toEqual(expected(n, n / 2));
    }
    expect(counted.times).toBe(hasOpenSizes() ? 2 : 4);
    pass[Symbol.dispose]();
    weight.dispose();
  });

  test('a number that is not refreshed is found, and the pass is recorded each time', async () => {
    const weight = tf.variable(tf.tensor2d([1, 10], [2, 1]));
    const x = new Float32Array(2);
    const { counted, pass, run } = passOver(x, { weight, shift: () => tf.tensor1d([(x[0] ?? 0) / 2]) });
    for (const n of [1, 2, 3, 4]) {
      setAll(x, n);
      expect(await run()).toEqual(expected(n, n / 2));
    }
    expect(counted.times).toBe(4);
    pass[Symbol.dispose]();
    weight.dispose();
  });
});

test('a pass whose session is gone is recorded again', async () => {
  await openOnnxBackend({ threads: 2, runner: 'native' });
  const weight = tf.variable(tf.tensor2d([1, 10], [2, 1]));
  const x = new Float32Array(2);
  const { counted, pass, run } = passOver(x, { weight, shift: () => tf.scalar(5) });
  const constant = constantWeights({ tensors: [weight], precision: 'float32' });
  for (const n of [1, 2, 3]) {
    setAll(x, n);
    await run();
  }
  expect(counted.times).toBe(2);
  constant[Symbol.dispose]();
  for (const n of [4, 5, 6, 7]) {
    setAll(x, n);
    expect(await run()).toEqual(expected(n, 5));
  }
  expect(counted.times).toBe(4);
  pass[Symbol.dispose]();
  weight.dispose();
});

test('the binding, which cannot repeat a run, records each time', async () => {
  await openOnnxBackend({ threads: 2, runner: 'binding' });
  const weight = tf.variable(tf.tensor2d([1, 10], [2, 1]));
  const x = new Float32Array(2);
  const { counted, run } = passOver(x, { weight, shift: () => tf.scalar(5) });
  for (const n of [1, 2, 3]) {
    setAll(x, n);
    expect(await run()).toEqual(expected(n, 5));
  }
  expect(counted.times).toBe(3);
  weight.dispose();
});
