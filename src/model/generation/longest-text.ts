import type { ModelConfig } from '../model-config.ts';

/**
 * The most tokens that a text may have when it is written on from a prompt. LongRoPE turns all of a text differently once
 * it is longer than the model's first training: a cache that was filled before would be of no use after.
 */
export function longestText(config: ModelConfig, promptTokens: number): number {
  if (config.family !== 'llama' || config.rotary.scaling.kind !== 'longrope') return config.contextLength;
  const { trainedLength } = config.rotary.scaling;
  return promptTokens <= trainedLength ? Math.min(trainedLength, config.contextLength) : config.contextLength;
}
