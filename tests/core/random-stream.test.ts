import { expect, test } from 'vitest';
import { RandomStream } from '../../src/core/random-stream.ts';

test('a random stream is xoshiro128** over the hash of its key', () => {
  const random = new RandomStream([7, 'a']);
  // Computed by random-stream.py with Python's integers.
  expect([1, 2, 3, 4, 5].map(() => random.uniform())).toEqual([
    0.8770206607878208, 0.5625090941321105, 0.7442167981062084, 0.4064479321241379, 0.7644236152991652,
  ]);
});

test('normal numbers have mean 0, deviation 1 and the kurtosis 3', () => {
  const random = new RandomStream(['moments']);
  const numbers = Array.from({ length: 200_000 }, () => random.normal());
  const moment = (power: number) => numbers.reduce((sum, x) => sum + x ** power, 0) / numbers.length;
  expect(moment(1)).toBeCloseTo(0, 1.7);
  expect(moment(2)).toBeCloseTo(1, 1.7);
  expect(moment(4)).toBeCloseTo(3, 0.7);
});
