import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { backend, openBothBackends } from './conformance/both-backends.ts';
import { relativeError } from './numbers.ts';

const STEPS = 20;

const optimizers = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.05, 0.9, true),
  adagrad: () => tf.train.adagrad(0.1),
  adadelta: () => tf.train.adadelta(0.5),
  adam: () => tf.train.adam(0.01),
  adamax: () => tf.train.adamax(0.01),
  rmsprop: () => tf.train.rmsprop(0.01, 0.9, 0.5),
};

beforeAll(openBothBackends);

test.each(Object.entries(optimizers))(
  `embedding, normalization, dropout and dense layers of tfjs train with its %s as on the cpu backend`,
  async (_, optimizer) => {
    const wanted = await train('cpu', optimizer());
    const found = await train(backend, optimizer());
    const errors = wanted.map((values, i) => relativeError(found[i] ?? [], values));
    expect({ tensors: found.length, wrong: errors.filter((error) => !(error <= 1e-4)) }).toEqual({
      tensors: wanted.length,
      wrong: [],
    });
    expect(wanted[0]?.at(-1)).toBeLessThan(wanted[0]?.[0] ?? 0);
  },
);

/** The losses of the steps, then every weight. */
async function train(backend: string, optimizer: tf.Optimizer): Promise<number[][]> {
  await tf.setBackend(backend);
  const model = classifier();
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy' });
  const ids = tf.tensor2d([1, 4, 2, 0, 3, 3, 5, 1, 2, 2, 0, 4], [4, 3], 'int32');
  const classes = tf.tensor2d([0, 1, 2, 1], [4, 1]);
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) losses.push(Number(await model.trainOnBatch(ids, classes)));
  const weights = model.getWeights().map((weight) => [...weight.dataSync()]);
  tf.dispose([ids, classes]);
  model.dispose();
  optimizer.dispose();
  return [losses, ...weights];
}

function classifier(): layers.Sequential {
  const { embedding, layerNormalization, flatten, dropout, dense } = layers.layers;
  const kernel = (seed: number) => layers.initializers.glorotUniform({ seed });
  return layers.sequential({
    layers: [
      embedding({ inputDim: 6, outputDim: 4, inputLength: 3, embeddingsInitializer: kernel(1) }),
      layerNormalization(),
      flatten(),
      dropout({ rate: 0.25, seed: 7 }),
      dense({ units: 8, activation: 'tanh', kernelInitializer: kernel(2) }),
      dense({ units: 3, activation: 'softmax', kernelInitializer: kernel(3) }),
    ],
  });
}
