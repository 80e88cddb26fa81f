import { forEachChunk, stepKernels } from './step-kernels.ts';

interface MomentumArrays {
  /** Updated in place. */
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  /** Updated in place; absent in SGD without momentum. */
  readonly momentum?: Float32Array | undefined;
}

interface MomentumSettings {
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Multiplies the gradient first. */
  readonly gradientScale: number;
}

/**
 * One Lion step in place (Chen et al. 2023, arXiv:2302.06675, algorithm 2), with the decay before the step as lion-pytorch
 * has it: θ -= lr wd θ; θ -= lr sign(β1 m + (1 - β1) g); m = β2 m + (1 - β2) g. All in float32.
 */
export function lionStep(
  arrays: MomentumArrays,
  { beta1, beta2, ...settings }: MomentumSettings & { readonly beta1: number; readonly beta2: number },
): void {
  const { learningRate, weightDecay, gradientScale } = settings;
  const decay = 1 - learningRate * weightDecay;
  const { lion } = stepKernels();
  stepChunks(arrays, (count) =>
    lion(count, gradientScale, decay, learningRate, beta1, 1 - beta1, beta2, 1 - beta2),
  );
}

/**
 * One step of torch.optim.SGD in place: g += wd θ; m = μ m + g; θ -= lr m, or lr (g + μ m) with `nesterov`. Without momentum
 * θ -= lr g. All in float32.
 */
export function sgdStep(
  arrays: MomentumArrays,
  settings: MomentumSettings & { readonly factor: number; readonly nesterov: boolean },
): void {
  const { learningRate, weightDecay, gradientScale, factor, nesterov } = settings;
  const [gradientShare, sumShare] = nesterov ? [1, factor] : [0, 1];
  const { sgd } = stepKernels();
  stepChunks(arrays, (count) =>
    sgd(count, gradientScale, weightDecay, learningRate, factor, gradientShare, sumShare),
  );
}

// A chunk is copied into WebAssembly's memory and back while it is in the processor's cache.
function stepChunks({ parameter, gradient, momentum }: MomentumArrays, step: (count: number) => void): void {
  const kernels = stepKernels();
  forEachChunk(parameter.length, (start, end) => {
    kernels.parameter.set(parameter.subarray(start, end));
    kernels.gradient.set(gradient.subarray(start, end));
    if (momentum) kernels.firstState.set(momentum.subarray(start, end));
    else kernels.firstState.fill(0);
    step(end - start);
    parameter.set(kernels.parameter.subarray(0, end - start), start);
    momentum?.set(kernels.firstState.subarray(0, end - start), start);
  });
}
