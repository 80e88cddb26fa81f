import type * as tf from '@tensorflow/tfjs-core';
import { hasInPlaceSteps, sumOfSquares } from '../../tensor/index.ts';

/** The Euclidean norm over all gradients together, summed in double precision where they are on the host. */
export function gradientNorm(gradients: Iterable<tf.Tensor>): number {
  const squares = hasInPlaceSteps()
    ? sumOfSquares
    : (gradient: tf.Tensor) => squaresOf(gradient.dataSync<'float32'>());
  let sum = 0;
  for (const gradient of gradients) sum += squares(gradient);
  return Math.sqrt(sum);
}

/** Two sums side by side, because in one alone each addition would wait for the one before. */
function squaresOf(values: Float32Array): number {
  let even = 0;
  let odd = 0;
  for (let index = 0; index < values.length; index += 2) {
    const first = values[index] ?? 0;
    const second = values[index + 1] ?? 0;
    even += first * first;
    odd += second * second;
  }
  return even + odd;
}

/** What gradients are multiplied by so that their norm is at most `clipNorm`, as torch.nn.utils.clip_grad_norm_ has it. */
export function clipScale(norm: number, clipNorm: number | undefined): number {
  return clipNorm === undefined ? 1 : Math.min(1, clipNorm / (norm + 1e-6));
}
