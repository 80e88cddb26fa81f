import type { ModelConfig } from '../model-config.ts';
import type { MemoryNeed } from './memory-need.ts';
import { parameterCount } from './training-memory.ts';

export interface GenerationShape {
  /** Texts that are written at a time, B. */
  readonly rows: number;
  /** Tokens that each has room for, S. */
  readonly slots: number;
}

const float = 4;
const process = 150_000_000;

/** The peak of a generation on the onnx backend: weights, the cache of keys and values, and the logits of a step. */
export function generationMemory(config: ModelConfig, { rows, slots }: GenerationShape): MemoryNeed {
  const { layers, keyValueHeads, headWidth, vocabularySize, heads } = config;
  const weights = float * parameterCount(config);
  const cache = 2 * float * layers * rows * slots * keyValueHeads * headWidth;
  return {
    weights,
    gradients: 0,
    moments: 0,
    activations: float * (4 * rows * vocabularySize + 4 * heads * slots * Math.max(slots, rows)),
    cache: 2 * cache, // on the host, and as the engine is handed it
    overhead: process + weights, // the engine's packed copy of the weights
  };
}
