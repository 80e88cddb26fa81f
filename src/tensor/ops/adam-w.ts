import * as tf from '@tensorflow/tfjs-core';
import { moduleBase64 } from '../wasm/adam-w-step-module.ts';
import { fused, hasKernel } from './custom-gradient.ts';

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
export function adamWStep(arrays: AdamWArrays, settings: AdamWSettings): void {
  const { length } = arrays.parameter;
  for (let start = 0; start < length; start += CHUNK) {
    stepChunk(chunkOf(arrays, { start, end: Math.min(length, start + CHUNK) }), settings);
  }
}

function chunkOf(arrays: AdamWArrays, { start, end }: { start: number; end: number }): AdamWArrays {
  return {
    parameter: arrays.parameter.subarray(start, end),
    gradient: arrays.gradient.subarray(start, end),
    firstMoment: arrays.firstMoment.subarray(start, end),
    secondMoment: arrays.secondMoment.subarray(start, end),
  };
}

// A chunk is copied into WebAssembly's memory and back while it is in the processor's cache.
function stepChunk(
  { parameter, gradient, firstMoment, secondMoment }: AdamWArrays,
  settings: AdamWSettings,
): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale = 1 } = settings;
  const kernel = adamWKernel();
  const { length } = parameter;
  kernel.parameter.set(parameter);
  kernel.gradient.set(gradient);
  kernel.firstMoment.set(firstMoment);
  kernel.secondMoment.set(secondMoment);
  const decay = 1 - learningRate * weightDecay;
  const stepSize = learningRate / (1 - beta1 ** step);
  const rootScale = 1 / Math.sqrt(1 - beta2 ** step);
  kernel.step(length, gradientScale, decay, beta1, 1 - beta1, beta2, 1 - beta2, stepSize, rootScale, epsilon);
  parameter.set(kernel.parameter.subarray(0, length));
  firstMoment.set(kernel.firstMoment.subarray(0, length));
  secondMoment.set(kernel.secondMoment.subarray(0, length));
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

/** The sum of the squares of all elements, those of each tensor in float32; NaN or Infinity where they give that. */
export function sumOfSquares(tensors: Iterable<tf.Tensor>): number {
  return tf.tidy(() => {
    const sums = Array.from(tensors, (x) => {
      const half = fused('HalfSumOfSquares', { inputs: { x } })?.[0];
      return half === undefined ? tf.sum(tf.square(x)) : tf.mul(half, 2);
    });
    // One read: each waits for the device.
    return tf
      .stack(sums.map((sum) => tf.reshape(sum, [])))
      .dataSync<'float32'>()
      .reduce((total, sum) => total + sum, 0);
  });
}

/** Elements that fit into each of the kernel's four arrays. */
const CHUNK = 8192;

/** The compiled step, and the arrays in its memory that it works on. */
interface AdamWKernel {
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** Over the first `count` elements; up to three behind them are overwritten as well. */
  readonly step: (
    count: number,
    gradientScale: number,
    decay: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    stepSize: number,
    rootScale: number,
    epsilon: number,
  ) => void;
}

// Node has it, but only the browser's types declare it.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

let opened: AdamWKernel | undefined;

export function adamWKernel(): AdamWKernel {
  opened ??= open();
  return opened;
}

function open(): AdamWKernel {
  const bytes = new Uint8Array(Buffer.from(moduleBase64, 'base64'));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  // What adam-w-step.wat exports.
  const { memory, step } = exports as { memory: { buffer: ArrayBuffer }; step: AdamWKernel['step'] };
  const array = (index: number) => new Float32Array(memory.buffer, 4 * CHUNK * index, CHUNK);
  return { parameter: array(0), gradient: array(1), firstMoment: array(2), secondMoment: array(3), step };
}
