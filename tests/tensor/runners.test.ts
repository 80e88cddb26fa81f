import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { locateLibrary } from '../../src/tensor/onnx/native/open-native-runtime.ts';
import type { OnnxBackend } from '../../src/tensor/onnx/onnx-backend.ts';
import { openOnnxBackend } from '../../src/tensor/onnx/open-onnx-backend.ts';
import { type OnnxRunnerName, openRunner } from '../../src/tensor/onnx/session/open-runner.ts';
import { tensorOf } from './numbers.ts';

const runners: readonly OnnxRunnerName[] = ['native', 'binding'];

describe.each(runners)('the %s runner', (runner) => {
  let backend: OnnxBackend;

  beforeEach(async () => {
    await openTensorBackend({ backend: 'onnx', threads: 2, runner });
    backend = await openOnnxBackend({ threads: 2, runner });
  });

  test('gives the same bits to synchronous and asynchronous reads', async () => {
    const [a, b] = [tensorOf([64, 48]), tensorOf([48, 32], { seed: 2 })];
    const [first, second] = [tf.softmax(tf.matMul(a, b)), tf.softmax(tf.matMul(a, b))];
    expect(await second.data()).toEqual(first.dataSync());
  });

  test('records, computes and reads synchronously during an asynchronous read', async () => {
    const x = tf.tensor([1, 2, 3]);
    const doubled = tf.mul(x, 2);
    const reading = doubled.data();
    const [squared, reshaped] = [tf.square(doubled), tf.reshape(doubled, [3, 1])];
    const atOnce = tf.add(squared, 1).dataSync();
    const later = tf.add(reshaped, tf.neg(doubled)).data();
    expect([[...atOnce], [...(await reading)], [...(await later)]]).toEqual([
      [5, 17, 37],
      [2, 4, 6],
      [0, -2, -4, 2, 0, -2, 4, 2, 0],
    ]);
    expect(backend.statistics.pendingNodes).toBe(0);
  });

  test('computes a view that was recorded during a read after it', async () => {
    const doubled = tf.mul(tensorOf([2, 3]), 2);
    const turned = tf.transpose(tf.reshape(doubled, [3, 2]));
    const reading = tf.neg(turned).data();
    const after = tf.add(tf.reshape(doubled, [3, 2]), 0);
    await reading;
    expect(await after.data()).toEqual(doubled.dataSync());
  });

  test('completes the read of a tensor that is disposed of meanwhile, and leaks nothing', async () => {
    const before = [tf.memory().numTensors, backend.numDataIds()];
    const x = tf.tensor([1, 2]);
    const [first, second] = [tf.neg(x), tf.square(x)];
    const reading = [first.data(), second.data()];
    tf.dispose([x, first, second]);
    expect((await Promise.all(reading)).map((values) => [...values])).toEqual([
      [-1, -2],
      [1, 4],
    ]);
    expect([tf.memory().numTensors, backend.numDataIds()]).toEqual(before);
  });

  test('fails only the reads, of both kinds, of what cannot be computed', async () => {
    const bad = () => tf.gather(tf.tensor([1, 2, 3]), tf.neg(tf.tensor([-9], [1], 'int32')));
    await expect(bad().data()).rejects.toThrow('could not be computed');
    expect(() => bad().dataSync()).toThrow('could not be computed');
    expect([...(await tf.neg(tf.tensor([1])).data())]).toEqual([-1]);
  });

  test('ends the run in progress of a session that is disposed of', async () => {
    const reading = tf.sum(tf.matMul(tf.ones([300, 300]), tf.ones([300, 300]))).data();
    backend.dispose();
    expect([...(await reading)]).toEqual([300 ** 3]);
  });
});

test('the native runner leaves the event loop free', async () => {
  await openTensorBackend({ backend: 'onnx', threads: 1, runner: 'native' });
  const x = tf.ones([400, 400]);
  const reading = tf.tidy(() => tf.matMul(tf.matMul(x, x), x)).data();
  let turns = 0;
  let isReading = true;
  reading.finally(() => {
    isReading = false;
  });
  for (; isReading; turns++) await setImmediate();
  expect(turns).toBeGreaterThan(1);
});

test('the native runner is taken if it loads', async () => {
  const runner = await openRunner({ threads: 1, runner: undefined });
  expect({ isNative: runner.isNative, note: runner.note }).toEqual(
    process.env.TENSOR_ONNX_RUNNER === 'binding'
      ? { isNative: false, note: undefined }
      : { isNative: true, note: undefined },
  );
});

const notes = {
  'that is not a library': { ...locateLibrary(), path: join(import.meta.dirname, 'numbers.ts') },
  'of another version': { ...locateLibrary(), version: '1.29.0' },
};

test.skipIf(process.env.TENSOR_ONNX_RUNNER !== undefined).each(Object.entries(notes))(
  'in place of a file %s the binding is taken, with one note (skipped where TENSOR_ONNX_RUNNER names the runner)',
  async (_, library) => {
    const { isNative, note } = await openRunner({ threads: 1, library });
    expect({ isNative, note }).toEqual({
      isNative: false,
      note: expect.stringMatching(/^the faster way to call ONNX Runtime does not load: /),
    });
  },
);
