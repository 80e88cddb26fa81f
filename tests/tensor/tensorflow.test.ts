import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  crossEntropy,
  embeddingLookup,
  linear,
  openTensorBackend,
  tokenLogLikelihoods,
} from '../../src/tensor/index.ts';

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

describe.skipIf(!isThere)('the tensorflow backend (where `retune setup tensorflow` has been run)', () => {
  beforeAll(async () => {
    await openTensorBackend({ backend: 'tensorflow', threads: 2 });
  });

  test('says what it is and what it computes on', async () => {
    const { engine, ...info } = await openTensorBackend({ backend: 'tensorflow', threads: 2 });
    expect(engine).toMatch(/^tensorflow \d+\.\d+\.\d+$/);
    expect(info).toEqual({
      backend: 'tensorflow',
      instructionSet: expect.any(String),
      threads: 2,
      device: expect.stringMatching(/^[cg]pu$/),
    });
  });

  test('steps free all that they made, and give equal bits each time', () => {
    const first = step();
    const { numTensors, numDataBuffers } = tf.memory();
    for (let count = 0; count < 50; count += 1) expect(step()).toEqual(first);
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
  });

  test('the log-likelihood of an ignored target is 0', () => {
    const logits = tf.tensor2d([0, 0, 1, 1], [2, 2]);
    const found = tokenLogLikelihoods({ logits, targets: tf.tensor1d([-100, 1], 'int32') });
    expect([...found.dataSync()]).toEqual([0, Math.fround(-Math.log(2))]);
  });
});
