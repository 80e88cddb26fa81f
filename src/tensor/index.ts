export { type ConstantWeightsOptions, constantWeights, type WeightPrecision } from './constant-weights.ts';
export { openTensorBackend } from './open-tensor-backend.ts';
export { type AdamWArrays, type AdamWSettings, adamWStep } from './ops/adam-w-step.ts';
export {
  type AdamWTensors,
  adamWStepInPlace,
  hasInPlaceSteps,
  sumOfSquares,
} from './ops/adam-w-step-in-place.ts';
export { type CachedAttentionOptions, cachedAttention } from './ops/cached-attention.ts';
export { type CausalAttentionOptions, causalAttention } from './ops/causal-attention.ts';
export { crossEntropy } from './ops/cross-entropy.ts';
export { type EmbeddingLookupOptions, embeddingLookup } from './ops/embedding-lookup.ts';
export { gelu } from './ops/gelu.ts';
export { type LayerNormOptions, layerNorm } from './ops/layer-norm.ts';
export { type LinearOptions, linear } from './ops/linear.ts';
export { type RearrangeRowsOptions, rearrangeRows } from './ops/rearrange-rows.ts';
export { type RmsNormOptions, rmsNorm } from './ops/rms-norm.ts';
export { type RotaryOptions, rotary } from './ops/rotary.ts';
export { type SwiGluOptions, swiGlu } from './ops/swi-glu.ts';
export { IGNORED_TARGET, type LogitsAndTargets } from './ops/target-log-probabilities.ts';
export { tokenLogLikelihoods } from './ops/token-log-likelihoods.ts';
export { recycle } from './recycle.ts';
export {
  TENSOR_BACKENDS,
  type TensorBackendInfo,
  type TensorBackendName,
  type TensorBackendOptions,
} from './tensor-backend.ts';
export { INSTALLED_FILE, installedTensorflow } from './tensorflow/locate-tensorflow.ts';
export { hasNvidiaGpu, type NvidiaGpu, nvidiaGpus } from './tensorflow/nvidia-gpus.ts';
export { type TensorflowFlavour, tensorflowFolder } from './tensorflow/tensorflow-folder.ts';
