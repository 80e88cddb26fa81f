import { describe, expect, it } from 'vitest';
import { clipScale, gradientNorm } from '../../src/training/optimizer/gradient-norm.ts';

describe('the norm of the gradients', () => {
  it('is taken over all of them together', () => {
    expect(gradientNorm([Float32Array.of(1, 2, 2), Float32Array.of(4), Float32Array.of()])).toBe(5);
  });

  it('is exact where squares leave the range of single precision', () => {
    expect(gradientNorm([Float32Array.of(2 ** 100)])).toBe(2 ** 100);
  });

  it('scales gradients down to the limit and never up', () => {
    expect(clipScale(4, 1)).toBe(1 / 4.000001);
    expect(clipScale(0.5, 1)).toBe(1);
    expect(clipScale(4, undefined)).toBe(1);
  });
});
