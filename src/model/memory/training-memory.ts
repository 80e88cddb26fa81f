import type { ModelConfig } from '../model-config.ts';
import { parameterLayout } from '../parameter-layout.ts';
import { elementCount } from '../safetensors/tensor-type.ts';
import type { MemoryNeed } from './memory-need.ts';

export interface TrainingShape {
  /** Examples that are computed at a time, B. */
  readonly rows: number;
  /** Their padded length, T. */
  readonly width: number;
  /** Targets among them that count, M. */
  readonly counted: number;
  /** Numbers that are trained: those of adapters, or of parameters. */
  readonly trained: number;
  /** Whether a batch is computed in several pieces, whose gradients add up. */
  readonly pieces: boolean;
}

const float = 4;
const process = 400_000_000;

/**
 * The peak of a training on the onnx backend. Weights, gradients and moments follow from their numbers. How many floats a
 * token's activations take in a layer, 1.85 (10 C + 2 I) + H T, and how many copies of its logits there are, 7.2, was
 * fitted to the measured peaks of GPT-2 of 51 and 124 million parameters, whole and by LoRA, in batches of 64 to 1024
 * tokens, which it meets within 3 %. A gated layer is taken to have twice as many inner activations.
 */
export function trainingMemory(config: ModelConfig, shape: TrainingShape): MemoryNeed {
  const { rows, width, counted, trained, pieces } = shape;
  const parameters = parameterCount(config);
  const { layers, width: channels, innerWidth, heads, vocabularySize } = config;
  const inner = (config.family === 'gpt2' ? 2 : 4) * innerWidth;
  const perToken = layers * (1.85 * (10 * channels + inner) + heads * width);
  const passes = pieces ? 3 : 1; // those of the piece at hand, of the first, and their sum
  return {
    weights: float * parameters,
    gradients: float * trained * passes,
    moments: 2 * float * trained,
    activations: float * (rows * width * perToken + 7.2 * counted * vocabularySize),
    cache: 0,
    // The engine's own copies: of weights in another order, and of gradients before they are handed out.
    overhead: process + float * (0.25 * parameters + trained),
  };
}

export function parameterCount(config: ModelConfig): number {
  let count = 0;
  for (const { shape } of parameterLayout(config).values()) count += elementCount(shape);
  return count;
}
