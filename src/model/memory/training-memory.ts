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
const process = 200_000_000;

/**
 * The peak of a training on the onnx backend. Weights, gradients and moments follow from their numbers. How many floats a
 * token's activations take in a layer, 0.67 (10 C + 2 I) + 2 H T, how many copies of its logits there are, 2, and the
 * shares of the weights and gradients that are there twice were fitted to the measured peaks of GPT-2 of 51 and 124
 * million parameters, whole and by LoRA, in batches of 64 to 1024 tokens, which they meet within 5 %. A gated layer is
 * taken to have twice as many inner activations.
 */
export function trainingMemory(config: ModelConfig, shape: TrainingShape): MemoryNeed {
  const { rows, width, counted, trained, pieces } = shape;
  const parameters = parameterCount(config);
  const { layers, width: channels, innerWidth, heads, vocabularySize } = config;
  const inner = (config.family === 'gpt2' ? 2 : 4) * innerWidth;
  const perToken = layers * (0.67 * (10 * channels + inner) + 2 * heads * width);
  const passes = pieces ? 2.25 : 1; // those of the piece at hand and their sum; fitted too
  return {
    weights: float * parameters,
    gradients: float * trained * passes,
    moments: 2 * float * trained,
    activations: float * (rows * width * perToken + 2 * counted * vocabularySize),
    cache: 0,
    overhead: process + 0.65 * float * parameters, // the engine's own copies, of weights in another order
  };
}

export function parameterCount(config: ModelConfig): number {
  let count = 0;
  for (const { shape } of parameterLayout(config).values()) count += elementCount(shape);
  return count;
}
