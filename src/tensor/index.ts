export { computePending, recycle } from './memory.ts';
export { type Adapter, findAdapter, hardwareAdapter, webgpuObstacle } from './onnx/device/adapter.ts';
export { cudaFolder, cudaInstallation, installedCuda } from './onnx/device/locate-cuda.ts';
export { hasOpenSizes, withOpenSizes } from './open-sizes.ts';
export {
  openTensorBackend,
  TENSOR_BACKENDS,
  type TensorBackendInfo,
  type TensorBackendName,
  type TensorBackendOptions,
} from './open-tensor-backend.ts';
export { exactGelu, gelu, softCap, swiGlu } from './ops/activations.ts';
export { type AdafactorSettings, adafactorMatrixStep, adafactorVectorStep } from './ops/adafactor-step.ts';
export { type AdamWSettings, adamWStep, adamWStepInPlace, hasInPlaceSteps } from './ops/adam-w.ts';
export { cachedAttention, causalAttention, MASKED_SCORE, storesKeysAndValues } from './ops/attention.ts';
export { checkpoint, shared, withSharedTensors } from './ops/checkpoint.ts';
export { constantWeights, type WeightPrecision } from './ops/constant-weights.ts';
export { expertOutput } from './ops/expert.ts';
export { chosenOnly, highest } from './ops/gates.ts';
export { embeddingLookup, linear } from './ops/linear.ts';
export { crossEntropy, IGNORED_TARGET, targetLogLikelihoods, tokenLogLikelihoods } from './ops/losses.ts';
export { lionStep, sgdStep } from './ops/momentum-steps.ts';
export { layerNorm, rmsNorm } from './ops/normalization.ts';
export {
  HALF_PRECISIONS,
  type HalfPrecision,
  halfPrecisions,
  type ProductPrecision,
  productPrecision,
  withProductPrecision,
} from './ops/product-precision.ts';
export type { QuantizedMatrix, WeightBits } from './ops/quantize-weight.ts';
export type { Products } from './ops/quantized-tensors.ts';
export {
  disposeWeight,
  floatWeight,
  quantizedVariable,
  roundedVariable,
} from './ops/quantized-weights.ts';
export { rearrangeRows, rotary } from './ops/rotary.ts';
export { sumOfSquares, sumsOfSquaresOnHost } from './ops/sums-of-squares.ts';
export {
  type TokenPlaces,
  type TokenRows,
  tokenPlaces,
  withOwnColumns,
  withOwnRows,
} from './ops/token-rows.ts';
export { magnitudeRatio, squaredWeightNorms } from './ops/weight-norms.ts';
export { multipliesBfloat16 } from './processor.ts';
export { RecordedPass, refresh } from './recorded-pass.ts';
export {
  hasNvidiaGpu,
  INSTALLED_FILE,
  installedTensorflow,
  type NvidiaGpu,
  nvidiaGpus,
  type TensorflowFlavor,
  tensorflowFolder,
} from './tensorflow/locate-tensorflow.ts';
