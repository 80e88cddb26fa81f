export { packedRows, paddedRows } from './attend-rows.ts';
export { type BasePrecision, floatProjectionsNote, quantizedShare } from './base-precision.ts';
export { configDropout, describeDropout, hasAttentionDropoutOnly } from './dropout.ts';
export { addEndTokens, readEndTokens } from './folder/end-tokens.ts';
export { exportWeights } from './folder/export-weights.ts';
export { keptShare } from './folder/kept-share.ts';
export {
  copyAuxiliaryFiles,
  isQuantizedFolder,
  type ModelFolder,
  type ModelToWrite,
  openModelFolder,
  quantizedFile,
  readModelConfig,
  untiedModel,
  writeModelFolder,
  writeQuantizedFolder,
} from './folder/model-folder.ts';
export { copyNewTokens, type NewTokens, readNewTokens, writeNewTokens } from './folder/new-tokens.ts';
export { resizedModel } from './folder/resized-model.ts';
export type { DropoutFactors, DropoutSite } from './forward-pass.ts';
export { choiceLogLikelihoods } from './generation/choices.ts';
export { ContinuousBatch } from './generation/continuous-batch.ts';
export { decodeRows } from './generation/decode.ts';
export type { DecodingRow } from './generation/decoding-batch.ts';
export {
  type EncodedPrompt,
  type GeneratedText,
  type GenerationSettings,
  generateTexts,
  Sequence,
} from './generation/generate-texts.ts';
export {
  checkGenerationMemory,
  type GenerationShape,
  generationMemory,
} from './generation/generation-memory.ts';
export { longestText, promptLength, slotCount } from './generation/lengths.ts';
export { type TextScore, type TextToScore, textLogLikelihoods } from './generation/log-likelihoods.ts';
export {
  type LogProbability,
  logProbabilities,
  type ScoredPrompt,
  scorePrompts,
  type TokenLogProbability,
} from './generation/log-probabilities.ts';
export { rowsPerPass } from './generation/prefill-queue.ts';
export { CachedDecoder, streamText, withoutBeginning } from './generation/stream.ts';
export type { ChoicesToScore } from './generation/token-trees.ts';
export { openGgufAdapter } from './gguf/gguf-adapter.ts';
export { ggufModel } from './gguf/gguf-model.ts';
export { openGgufModel } from './gguf/open-gguf-model.ts';
export type { GgufType } from './gguf/quantization-mix.ts';
export { initialModel } from './initial-model.ts';
export {
  freeze,
  type LanguageModel,
  openLanguageModel,
  parameterOf,
  quantizeWeights,
  saveLanguageModel,
  type Tokens,
} from './language-model.ts';
export { adaptModel } from './lora/adapted-model.ts';
export {
  checkAdapter,
  checkAdapterConfig,
  isAdapterFolder,
  openAdapterFolder,
  readAdapterConfig,
  readAdapterSettings,
} from './lora/adapter-folder.ts';
export {
  adapterLayout,
  adapterTensors,
  type LoraSettings,
  valuePattern,
} from './lora/adapter-layout.ts';
export { type LoraAdapter, loadAdapter, newAdapter, rowsOf } from './lora/lora-adapter.ts';
export { loraTargets } from './lora/lora-targets.ts';
export { saveAdaptedModel, withRows } from './lora/merge.ts';
export { type TrainedTokens, tokenModules, trainedRowsName } from './lora/trained-tokens.ts';
export {
  type MemoryNeed,
  memoryError,
  type QuantizedShare,
  type TrainingShape,
  totalMemory,
  trainingMemory,
} from './memory.ts';
export { memoryLimit } from './memory-limit.ts';
export type { ModelConfig } from './model-config.ts';
export { parameterLayout } from './model-config.ts';
export { namePattern, nameSelection } from './name-pattern.ts';
export { openOpenaiCheckpoint } from './openai-checkpoint.ts';
