export { packedRows, paddedRows } from './attend-rows.ts';
export { hasAttentionDropoutOnly, ownDropout, statedDropout } from './dropout.ts';
export { exportWeights } from './folder/export-weights.ts';
export {
  copyAuxiliaryFiles,
  openModelFolder,
  readEndTokens,
  readModelConfig,
  untiedModel,
  writeModelFolder,
} from './folder/model-folder.ts';
export type { DropoutFactors, DropoutSite } from './forward-pass.ts';
export { choiceLogLikelihoods } from './generation/choices.ts';
export { decodeRows } from './generation/decode.ts';
export {
  TextWriter,
  type WritingSettings,
  type WrittenText,
  writeTexts,
} from './generation/generate-texts.ts';
export { longestText, promptLength, slotCount } from './generation/lengths.ts';
export { type TextScore, type TextToScore, textLogLikelihoods } from './generation/log-likelihoods.ts';
export { streamText, TextReader } from './generation/stream.ts';
export type { ChoicesToScore } from './generation/tree-attention.ts';
export { openGgufModel } from './gguf/open-gguf-model.ts';
export { initialModel } from './initial-model.ts';
export {
  freeze,
  type LanguageModel,
  openLanguageModel,
  quantizeWeights,
  saveLanguageModel,
  type Tokens,
} from './language-model.ts';
export { adaptModel, saveAdaptedModel } from './lora/lora.ts';
export { type LoraSettings, loraTargets } from './lora/lora-targets.ts';
export {
  checkGenerationMemory,
  type MemoryNeed,
  memoryLimit,
  refuseMemory,
  type TrainingShape,
  totalMemory,
  trainingMemory,
} from './memory.ts';
export type { ModelConfig } from './model-config.ts';
export { parameterLayout } from './model-config.ts';
export { namePattern, nameSelection } from './name-pattern.ts';
export { openOpenaiCheckpoint } from './openai-checkpoint.ts';
