import { adamWKernel, CHUNK } from '../wasm/adam-w-kernel.ts';

export interface AdamWArrays {
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
  /** The gradient is multiplied by this on the way in, such as a clipping factor; 1 where absent. */
  readonly gradientScale?: number | undefined;
}

/**
 * One AdamW step in place (Loshchilov and Hutter 2019, arXiv:1711.05101), as torch.optim.AdamW orders it:
 * θ -= lr wd θ; m, v updated; θ -= lr / (1 - β1^t) m / (sqrt(v) / sqrt(1 - β2^t) + ε). All in float32.
 */
export function adamWStep(arrays: AdamWArrays, settings: AdamWSettings): void {
  const { length } = arrays.parameter;
  for (let start = 0; start < length; start += CHUNK) {
    stepOver(chunkOf(arrays, { start, end: Math.min(length, start + CHUNK) }), settings);
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

// A chunk is copied into WebAssembly's own memory and back while it is in the processor's cache.
function stepOver(
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
