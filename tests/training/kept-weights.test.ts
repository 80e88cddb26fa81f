import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { keepWeights } from '../../src/training/state/kept-weights.ts';

test('kept weights stay as they were, in a file that has no name and leaves nothing behind', async () => {
  await openTensorBackend({ backend: 'cpu' });
  const folder = await mkdtemp(join(tmpdir(), 'kept-weights-'));
  try {
    const weight = tf.variable(tf.tensor([1, 2, 3]));
    const trainable = new Map([['w', weight]]);
    const kept = await keepWeights(join(folder, 'state'), {
      trainable,
      read: async () => weight.dataSync<'float32'>(),
    });
    weight.assign(tf.tensor([4, 5, 6]));
    expect(await readdir(join(folder, 'state'))).toEqual([]);
    expect([...(await kept.read('w'))]).toEqual([1, 2, 3]);
    await kept[Symbol.asyncDispose]();
  } finally {
    await rm(folder, { recursive: true });
  }
});
