import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  adamWStep,
  adamWStepInPlace,
  crossEntropy,
  embeddingLookup,
  linear,
  openTensorBackend,
  tokenLogLikelihoods,
} from '../../src/tensor/index.ts';
import { openTensorflowBackend } from '../../src/tensor/tensorflow/open-tensorflow-backend.ts';

const isThere = process.env.TENSOR_BACKEND === 'tensorflow';

/** A step of a model with a table, a product and a loss: its loss, and the gradients of both weights. */
function step() {
  const targets = tf.tensor1d([1, -100, 3, 1, 0], 'int32');
  const ids = tf.tensor1d([2, 0, 2, 2, 1], 'int32');
  const [table, weight] = [variableOf([4, 6]), variableOf([6, 5])];
  const { value, grads } = tf.variableGrads(() => {
    const logits = linear({ x: embeddingLookup({ table, ids }), weight });
    return crossEntropy({ logits, targets }) as tf.Scalar; // a mean
  });
  const results = [value, grads[table.name], grads[weight.name]];
  const read = results.map((tensor) => [...(tensor?.dataSync() ?? [])]);
  tf.dispose([targets, ids, table, weight, value, grads]);
  return read;
}

const variableOf = (shape: [number, number]) =>
  tf.tidy(() => tf.variable(tf.sin(tf.reshape(tf.range(0, shape[0] * shape[1]), shape))));

const shape = [40, 50];
const size = 2_000;
const optimizer = { learningRate: 3e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Ten steps on the host and ten in place, and how far the parameters are from each other. */
function differenceOfSteps({ weightDecay, gradientScale }: { weightDecay: number; gradientScale: number }) {
  const start = Float32Array.from({ length: size }, (_, place) => Math.sin(place));
  const parameter = start.slice();
  const [firstMoment, secondMoment] = [new Float32Array(size), new Float32Array(size)];
  const tensors = [start.slice(), new Float32Array(size), new Float32Array(size)].map((values) =>
    tf.tidy(() => tf.variable(tf.tensor(values, shape))),
  ) as [tf.Variable, tf.Variable, tf.Variable]; // as many as arrays
  for (let step = 1; step <= 10; step += 1) {
    const settings = { ...optimizer, weightDecay, gradientScale, step };
    const gradient = Float32Array.from({ length: size }, (_, place) => 5 * Math.cos(place * step));
    adamWStep({ parameter, gradient, firstMoment, secondMoment }, settings);
    const onBackend = tf.tensor(gradient, shape);
    const [first, second, third] = tensors;
    adamWStepInPlace(
      { parameter: first, gradient: onBackend, firstMoment: second, secondMoment: third },
      settings,
    );
    onBackend.dispose();
  }
  const found = tensors[0].dataSync();
  tf.dispose(tensors);
  return Math.max(...found.map((value, place) => Math.abs(value - (parameter[place] ?? Number.NaN))));
}

describe.skipIf(!isThere)('the tensorflow backend (where `tuneloom setup tensorflow` has been run)', () => {
  beforeAll(async () => {
    await openTensorBackend({ backend: 'tensorflow', threads: 2 });
  });

  test('describes itself and its device', async () => {
    const { engine, ...info } = await openTensorBackend({ backend: 'tensorflow', threads: 2 });
    expect(engine).toMatch(/^tensorflow \d+\.\d+\.\d+, tfjs-node \d+\.\d+\.\d+$/);
    expect(info).toEqual({
      backend: 'tensorflow',
      instructionSet: expect.any(String),
      threads: 2,
      device: expect.stringMatching(/^[cg]pu$/),
    });
  });

  test('steps free everything they made and give equal bits each time', () => {
    const first = step();
    const { numTensors, numDataBuffers } = tf.memory();
    for (let count = 0; count < 50; count += 1) expect(step()).toEqual(first);
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
  });

  test.each([
    { weightDecay: 0.1, gradientScale: 1 },
    { weightDecay: 0, gradientScale: 1 },
    { weightDecay: 0.1, gradientScale: 0.01 },
  ])('ten steps of AdamW in place (%o) end where ten on the host do', (settings) => {
    expect(differenceOfSteps(settings)).toBeLessThan(1e-6);
  });

  test('steps in place leak no TensorFlow tensor', async () => {
    const { binding } = (await openTensorflowBackend({ threads: 2 })).engine;
    const before = binding.getNumOfTensors();
    differenceOfSteps({ weightDecay: 0.1, gradientScale: 0.5 });
    expect(binding.getNumOfTensors()).toBe(before);
  });

  test('a tensor that shares the memory of one changed in place keeps its values', () => {
    const [parameter, firstMoment, secondMoment] = [1, 0, 0].map((value) =>
      tf.tidy(() => tf.variable(tf.fill([3], value))),
    ) as [tf.Variable, tf.Variable, tf.Variable]; // as many as numbers
    const gradient = tf.tensor([1, -1, 0]);
    const shared = tf.reshape(parameter, [3, 1]);
    const settings = { ...optimizer, epsilon: 0.5, weightDecay: 0, step: 1, learningRate: 0.5 };
    adamWStepInPlace({ parameter, gradient, firstMoment, secondMoment }, settings);
    expect([...shared.dataSync()]).toEqual([1, 1, 1]);
    // The first step's corrected moments are the gradient and its square: 0.5 * 1 / (1 + 0.5).
    expect([...parameter.dataSync()].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([
      0.666667, 1.333333, 1,
    ]);
    tf.dispose([parameter, firstMoment, secondMoment, gradient, shared]);
  });

  test('the log-likelihood of an ignored target is 0', () => {
    const logits = tf.tensor2d([0, 0, 1, 1], [2, 2]);
    const found = tokenLogLikelihoods({ logits, targets: tf.tensor1d([-100, 1], 'int32') });
    expect([...found.dataSync()]).toEqual([0, Math.fround(-Math.log(2))]);
  });
});
