import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { openBothBackends } from './both-backends.ts';

beforeAll(openBothBackends);

test('every kernel that tfjs-core can dispatch is implemented or refused by name', () => {
  const names = Object.entries(tf).flatMap(([name, value]) => (name === value ? [name] : []));
  const missing = names.filter((name) => tf.getKernel(name, 'onnx') === undefined);
  expect({ enough: names.length > 150, missing }).toEqual({ enough: true, missing: [] });
});

test('a refusal names the kernel and the backend and says what to do', async () => {
  await tf.setBackend('onnx');
  expect(() => tf.unique(tf.tensor([1, 1, 2]))).toThrow(
    'The onnx backend does not implement Unique: its result has a shape that depends on the data; ' +
      'work it out on the host from dataSync().',
  );
});

test('an index out of range fails the reads of its result, and nothing after it', async () => {
  await tf.setBackend('onnx');
  const picked = tf.gather(tf.tensor([1, 2, 3]), tf.neg(tf.tensor([-7], [1], 'int32')));
  const message = /^The tensors that were waiting could not be computed: .*idx=7 must be within/;
  expect(() => picked.dataSync()).toThrow(message);
  expect(() => tf.add(picked, 1).dataSync()).toThrow(message);
  expect([...tf.add(tf.tensor([1]), 1).dataSync()]).toEqual([2]);
});

test('a tensor of another backend is moved when it is used', async () => {
  await tf.setBackend('cpu');
  const made = tf.tensor([1, 2]);
  await tf.setBackend('onnx');
  expect([...tf.add(made, 1).dataSync()]).toEqual([2, 3]);
});
