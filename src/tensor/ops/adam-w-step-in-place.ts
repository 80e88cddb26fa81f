import * as tf from '@tensorflow/tfjs-core';
import type { AdamWSettings } from './adam-w-step.ts';
import { fused, hasKernel } from './fused.ts';

/** All of one shape, and each in memory of its own. */
export interface AdamWTensors {
  readonly parameter: tf.Variable;
  readonly gradient: tf.Tensor;
  /** Running mean of the gradient. */
  readonly firstMoment: tf.Variable;
  /** Running mean of the squared gradient. */
  readonly secondMoment: tf.Variable;
}

const kernel = 'AdamWStep';

/** Whether the active backend can change parameters where it keeps them; elsewhere `adamWStep` does it on the host. */
export const hasInPlaceSteps = (): boolean => hasKernel(kernel);

/** The step of `adamWStep`, to rounding, on tensors: parameter and moments change, and are never copied to the host. */
export function adamWStepInPlace(tensors: AdamWTensors, settings: AdamWSettings): void {
  const { gradientScale = 1, ...others } = settings;
  fused(kernel, { inputs: { ...tensors }, attributes: { ...others, gradientScale } });
}

/** The sum of the squares of all elements. Gives NaN or Infinity where they do. */
export function sumOfSquares(x: tf.Tensor): number {
  return tf.tidy(() => {
    const half = fused('HalfSumOfSquares', { inputs: { x } })?.[0];
    const sum = half === undefined ? tf.sum(tf.square(x)) : tf.mul(half, 2);
    return sum.dataSync()[0] ?? Number.NaN;
  });
}
