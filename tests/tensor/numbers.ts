import * as tf from '@tensorflow/tfjs-core';

/** Repeatable numbers in -scale .. scale from a small linear congruential generator. */
export function numbers(count: number, { seed = 1, scale = 1 } = {}): Float32Array {
  let state = (seed * 2_654_435_761) >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}

export function tensorOf(shape: number[], { seed = 1, scale = 1 } = {}): tf.Tensor {
  return tf.tensor(numbers(tf.util.sizeFromShape(shape), { seed, scale }), shape);
}

/** Largest difference, relative to the largest expected magnitude or 1. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let magnitude = 1;
  for (let i = 0; i < expected.length; i++) {
    const wanted = expected[i] ?? Number.NaN;
    const found = actual[i] ?? Number.NaN;
    if (Object.is(wanted, found) || wanted === found) continue;
    const error = Math.abs(wanted - found);
    difference = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(difference, error);
    magnitude = Math.max(magnitude, Math.abs(wanted));
  }
  return difference / magnitude;
}
