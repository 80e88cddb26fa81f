import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { clipScale, gradientNorm } from '../../src/training/gradients.ts';

describe('the norm of the gradients', () => {
  beforeAll(async () => {
    await openTensorBackend({ backend: 'cpu' });
  });

  it('is taken over all of them together', () => {
    expect(gradientNorm([tf.tensor([1, 2, 2]), tf.tensor([4]), tf.tensor([])])).toBe(5);
  });

  it('is exact even if squares leave the range of single precision', () => {
    expect(gradientNorm([tf.tensor([2 ** 100])])).toBe(2 ** 100);
  });

  it('scales gradients down to the limit and never up', () => {
    expect(clipScale(4, 1)).toBe(1 / 4.000001);
    expect(clipScale(0.5, 1)).toBe(1);
    expect(clipScale(4, undefined)).toBe(1);
  });
});
