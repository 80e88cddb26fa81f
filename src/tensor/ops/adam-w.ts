import type * as tf from '@tensorflow/tfjs-core';
import { fused, hasKernel } from './custom-gradient.ts';
import { forEachChunk, stepKernels } from './step-kernels.ts';

interface AdamWArrays {
  /** Updated in place. */
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  /** Running mean of the gradient; updated in place. */
  readonly firstMoment: Float32Array;
  /** Running mean of the squared gradient; updated in place. */
  readonly secondMoment: Float32Array;
}

export interface AdamWSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Number of this step, from 1. */
  readonly step: number;
  /** A factor of the gradient, such as that of clipping; 1 by default. */
  readonly gradientScale?: number | undefined;
}

/**
 * One AdamW step in place (Loshchilov and Hutter 2019, arXiv:1711.05101), as torch.optim.AdamW orders it:
 * θ -= lr wd θ; m, v updated; θ -= lr / (1 - β1^t) m / (sqrt(v) / sqrt(1 - β2^t) + ε). All in float32.
 */
export function adamWStep(
  { parameter, gradient, firstMoment, secondMoment }: AdamWArrays,
  settings: AdamWSettings,
): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale = 1 } = settings;
  const decay = 1 - learningRate * weightDecay;
  const stepSize = learningRate / (1 - beta1 ** step);
  const rootScale = 1 / Math.sqrt(1 - beta2 ** step);
  const kernels = stepKernels();
  // A chunk is copied into WebAssembly's memory and back while it is in the processor's cache.
  forEachChunk(parameter.length, (start, end) => {
    const count = end - start;
    kernels.parameter.set(parameter.subarray(start, end));
    kernels.gradient.set(gradient.subarray(start, end));
    kernels.firstState.set(firstMoment.subarray(start, end));
    kernels.secondState.set(secondMoment.subarray(start, end));
    kernels.adamW(
      count,
      gradientScale,
      decay,
      beta1,
      1 - beta1,
      beta2,
      1 - beta2,
      stepSize,
      rootScale,
      epsilon,
    );
    parameter.set(kernels.parameter.subarray(0, count), start);
    firstMoment.set(kernels.firstState.subarray(0, count), start);
    secondMoment.set(kernels.secondState.subarray(0, count), start);
  });
}

/** All of one shape, none sharing memory with another. */
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

/** The step of `adamWStep`, up to rounding, on tensors: parameter and moments change in place, without a copy to the host. */
export function adamWStepInPlace(tensors: AdamWTensors, settings: AdamWSettings): void {
  const { gradientScale = 1, ...others } = settings;
  fused(kernel, { inputs: { ...tensors }, attributes: { ...others, gradientScale } });
}
