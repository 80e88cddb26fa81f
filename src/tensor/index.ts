// Backends: opening one, and finding TensorFlow and a GPU.

export {
  openTensorBackend,
  TENSOR_BACKENDS,
  type TensorBackendInfo,
  type TensorBackendName,
  type TensorBackendOptions,
} from './open-tensor-backend.ts';
export {
  hasNvidiaGpu,
  INSTALLED_FILE,
  installedTensorflow,
  type NvidiaGpu,
  nvidiaGpus,
  type TensorflowFlavor,
  tensorflowFolder,
} from './tensorflow/locate-tensorflow.ts';

// Operations of a transformer, each with its own gradient.

export { gelu, type SwiGluOptions, swiGlu } from './ops/activations.ts';
export {
  type CachedAttentionOptions,
  type CausalAttentionOptions,
  cachedAttention,
  causalAttention,
} from './ops/attention.ts';
export { type EmbeddingLookupOptions, embeddingLookup, type LinearOptions, linear } from './ops/linear.ts';
export { type LayerNormOptions, layerNorm, type RmsNormOptions, rmsNorm } from './ops/normalization.ts';
export { type RearrangeRowsOptions, type RotaryOptions, rearrangeRows, rotary } from './ops/rotary.ts';

// Training: the loss, and the optimizer's step.

export {
  type AdamWArrays,
  type AdamWSettings,
  type AdamWTensors,
  adamWStep,
  adamWStepInPlace,
  hasInPlaceSteps,
  sumOfSquares,
} from './ops/adam-w.ts';
export { crossEntropy, IGNORED_TARGET, type LogitsAndTargets, tokenLogLikelihoods } from './ops/losses.ts';

// Memory: constant weights, and arrays used again.

export { recycle } from './memory.ts';
export {
  type ConstantWeightsOptions,
  constantWeights,
  type WeightPrecision,
} from './ops/constant-weights.ts';
