export { type ConstantWeightsOptions, constantWeights, recycle, type WeightPrecision } from './memory.ts';
export {
  openTensorBackend,
  TENSOR_BACKENDS,
  type TensorBackendInfo,
  type TensorBackendName,
  type TensorBackendOptions,
} from './open-tensor-backend.ts';
export { gelu, type SwiGluOptions, swiGlu } from './ops/activations.ts';
export {
  type AdamWArrays,
  type AdamWSettings,
  type AdamWTensors,
  adamWStep,
  adamWStepInPlace,
  hasInPlaceSteps,
  sumOfSquares,
} from './ops/adam-w.ts';
export {
  type CachedAttentionOptions,
  type CausalAttentionOptions,
  cachedAttention,
  causalAttention,
} from './ops/attention.ts';
export { type EmbeddingLookupOptions, embeddingLookup, type LinearOptions, linear } from './ops/linear.ts';
export { crossEntropy, IGNORED_TARGET, type LogitsAndTargets, tokenLogLikelihoods } from './ops/losses.ts';
export { type LayerNormOptions, layerNorm, type RmsNormOptions, rmsNorm } from './ops/normalization.ts';
export { type RearrangeRowsOptions, type RotaryOptions, rearrangeRows, rotary } from './ops/rotary.ts';
export {
  hasNvidiaGpu,
  INSTALLED_FILE,
  installedTensorflow,
  type NvidiaGpu,
  nvidiaGpus,
  type TensorflowFlavour,
  tensorflowFolder,
} from './tensorflow/locate-tensorflow.ts';
