import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, expect, test } from 'vitest';
import { openTensorBackend } from '../../src/tensor/index.ts';
import type { OnnxBackend } from '../../src/tensor/onnx/onnx-backend.ts';
import { openOnnxBackend } from '../../src/tensor/onnx/open-onnx-backend.ts';
import { TinyGpt } from './tiny-gpt.ts';

let backend: OnnxBackend;

beforeEach(async () => {
  await openTensorBackend({ backend: 'onnx', threads: 2 });
  backend = await openOnnxBackend({ threads: 2, mostPendingNodes: 1_000 });
});

const sizes = { layers: 1, width: 16, heads: 2, vocabulary: 40, positions: 12 };

function trainingStep(model: TinyGpt, step: number): number {
  const length = 8 + (step % 3); // three shapes in turn
  const words = Array.from({ length: 2 * length }, (_, i) => (i * 7 + step) % sizes.vocabulary);
  return tf.tidy(() => {
    const ids = tf.tensor(words, [2, length], 'int32');
    const { value, grads } = tf.variableGrads(() => model.loss(ids, ids), model.variables);
    for (const variable of model.variables) {
      const gradient = grads[variable.name];
      if (gradient !== undefined) variable.assign(tf.sub(variable, tf.mul(gradient, 0.1)));
    }
    for (const variable of model.variables) variable.dataSync();
    return value.dataSync()[0] ?? Number.NaN;
  });
}

function counts() {
  const { numTensors, numDataBuffers } = tf.memory();
  const { pendingNodes, sessionsHeld } = backend.statistics;
  return { numTensors, numDataBuffers, dataIds: backend.numDataIds(), pendingNodes, sessionsHeld };
}

test('a thousand training steps leak no tensor, no node and no session', () => {
  const empty = counts();
  const model = new TinyGpt(sizes);
  const losses = [0, 1, 2, 3, 4, 5].map((step) => trainingStep(model, step));
  const before = counts();
  for (let step = 6; step < 300; step++) losses.push(trainingStep(model, step));
  // By now JavaScript's own heap has reached its size.
  const bytesBefore = process.memoryUsage.rss();
  for (let step = 300; step < 1_000; step++) losses.push(trainingStep(model, step));
  const grown = (process.memoryUsage.rss() - bytesBefore) / 2 ** 20;
  expect(counts()).toEqual(before);
  expect({ learned: (losses.at(-1) ?? 0) < (losses[0] ?? 0) / 2, bounded: grown < 100 }).toEqual({
    learned: true,
    bounded: true,
  });
  model.dispose();
  expect({ ...counts(), sessionsHeld: 0 }).toEqual({ ...empty, sessionsHeld: 0 });
});

test('a thousand results of a quarter of a megabyte, each from two hundred tensors, leak no memory', () => {
  const step = (value: number) => {
    const parts = Array.from({ length: 200 }, () => tf.tensor1d(new Float32Array(320).fill(value)));
    const all = tf.concat(parts);
    const { length } = all.dataSync();
    tf.dispose([all, ...parts]);
    return length;
  };
  for (let i = 0; i < 300; i++) step(i);
  const bytesBefore = process.memoryUsage.rss();
  for (let i = 0; i < 1_000; i++) step(i);
  const grown = (process.memoryUsage.rss() - bytesBefore) / 2 ** 20;
  expect({ length: step(1), grown: Math.max(0, grown - 30) }).toEqual({ length: 64_000, grown: 0 });
});

test('equal steps are compiled once, and changed numbers do not compile again', () => {
  const step = (factor: number) =>
    tf.tidy(() => tf.mul(tf.add(tf.tensor([1, 2]), factor), factor).dataSync());
  step(1);
  const { sessionsCompiled } = backend.statistics;
  const results = [2, 3, 4].map((factor) => [...step(factor)]);
  expect(results).toEqual([[6, 8], [12, 15], [20, 24]]); // biome-ignore format: one pair a factor
  expect(backend.statistics.sessionsCompiled).toBe(sessionsCompiled);
});

test('what no live tensor depends on is never computed', () => {
  const x = tf.tensor([1, 2, 3]);
  const outOfRange = tf.gather(x, tf.neg(tf.tensor([-9], [1], 'int32'))); // would fail if it ran
  outOfRange.dispose();
  expect([...tf.neg(x).dataSync()]).toEqual([-1, -2, -3]);
});

test('a chain that is never read does not grow without bound', () => {
  const one = tf.scalar(1);
  let sum: tf.Tensor = tf.scalar(0);
  let mostPending = 0;
  for (let i = 0; i < 3_000; i++) {
    const next = tf.add(sum, one);
    sum.dispose();
    sum = next;
    mostPending = Math.max(mostPending, backend.statistics.pendingNodes);
  }
  expect({ sum: sum.dataSync()[0], mostPending }).toEqual({ sum: 3_000, mostPending: 1_001 });
});

test('an array that was read may be changed in place: nothing pending depends on it', () => {
  const weight = tf.variable(tf.tensor([1, 2]));
  const doubled = tf.mul(weight, 2);
  (weight.dataSync() as Float32Array).set([10, 20]);
  expect([[...doubled.dataSync()], [...tf.mul(weight, 2).dataSync()]]).toEqual([[2, 4], [20, 40]]); // biome-ignore format: before and after
});
