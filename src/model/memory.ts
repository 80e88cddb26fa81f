import { availableMemory } from 'node:process';
import { UserError } from '../core/index.ts';
import { elementCount } from '../formats/index.ts';
import { type ModelConfig, parameterLayout } from './model-config.ts';

interface PlannedGeneration {
  readonly model: ModelConfig;
  /** Texts that are written at a time. */
  readonly rows: number;
  /** Tokens of the longest prompt and its answer. */
  readonly slots: number;
  /** Bytes that may be taken. */
  readonly limit: number;
}

/** What a generation is expected to take at its peak. Throws a UserError where that is too much, with what would fit. */
export function checkGenerationMemory({ model, rows, slots, limit }: PlannedGeneration): number {
  const room = Math.min(slots, model.contextLength);
  const need = generationMemory(model, { rows, slots: room });
  const expected = totalMemory(need);
  if (expected <= limit) return expected;
  const fits = (fewer: number) => totalMemory(generationMemory(model, { rows: fewer, slots: room })) <= limit;
  let fewer = rows - 1;
  while (fewer >= 1 && !fits(fewer)) fewer = Math.floor(fewer / 2);
  const help =
    fewer >= 1
      ? `\`batch_size: ${fewer}\` would fit`
      : 'no setting of this stage would fit: take a smaller model, or a machine with more memory';
  throw refuseMemory({ what: 'generating', need, limit, help });
}

interface GenerationShape {
  /** Texts that are written at a time, B. */
  readonly rows: number;
  /** Tokens that each has room for, S. */
  readonly slots: number;
}

const float = 4;
const generationProcess = 150_000_000;

/** The peak of a generation on the onnx backend: weights, the cache of keys and values, and the logits of a step. */
function generationMemory(config: ModelConfig, { rows, slots }: GenerationShape): MemoryNeed {
  const { layers, keyValueHeads, headDim, vocabularySize, heads } = config;
  const weights = float * parameterCount(config);
  const cache = 2 * float * layers * rows * slots * keyValueHeads * headDim;
  return {
    weights,
    gradients: 0,
    moments: 0,
    activations: float * (4 * rows * vocabularySize + 4 * heads * slots * Math.max(slots, rows)),
    cache: 2 * cache, // on the host, and as the engine is handed it
    overhead: generationProcess + weights, // the engine's packed copy of the weights
  };
}

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
const trainingProcess = 200_000_000;

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
  const { layers, hiddenSize: channels, intermediateSize, heads, vocabularySize } = config;
  const inner = (config.family === 'gpt2' ? 2 : 4) * intermediateSize;
  const perToken = layers * (0.67 * (10 * channels + inner) + 2 * heads * width);
  const passes = pieces ? 2.25 : 1; // those of the piece at hand and their sum; fitted too
  return {
    weights: float * parameters,
    gradients: float * trained * passes,
    moments: 2 * float * trained,
    activations: float * (rows * width * perToken + 2 * counted * vocabularySize),
    cache: 0,
    overhead: trainingProcess + 0.65 * float * parameters, // the engine's own copies, of weights in another order
  };
}

export function parameterCount(config: ModelConfig): number {
  let count = 0;
  for (const { shape } of parameterLayout(config).values()) count += elementCount(shape);
  return count;
}

/** What a training or a generation is expected to take, in bytes. */
export interface MemoryNeed {
  readonly weights: number;
  readonly gradients: number;
  /** AdamW's running means. */
  readonly moments: number;
  /** What one pass computes on its way. */
  readonly activations: number;
  readonly cache: number;
  /** Node.js, the engine, and what the engine copies. */
  readonly overhead: number;
}

export const totalMemory = (need: MemoryNeed): number =>
  Object.values(need).reduce((sum: number, bytes: number) => sum + bytes, 0);

interface Refusal {
  /** `training`, `generating`. */
  readonly what: string;
  readonly need: MemoryNeed;
  /** Bytes that there are. */
  readonly limit: number;
  readonly help: string;
}

/** The error of a stage that would run out of memory, before it takes any. */
export function refuseMemory({ what, need, limit, help }: Refusal): UserError {
  const parts = Object.entries(need)
    .filter(([, bytes]) => bytes >= 0.05e9)
    .map(([name, bytes]) => `${name} ${gigabytes(bytes)}`);
  return new UserError({
    code: 'too-little-memory',
    message: `${what} would take about ${gigabytes(totalMemory(need))} GB of memory (${parts.join(', ')}), and ${gigabytes(limit)} GB are available`,
    help: `${help}. What may be taken is \`resources: { memory: 16GB }\`, where it is given`,
  });
}

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);

/** Bytes that this process may still take: what `resources.memory` says, else what the system and its limits leave. */
export const memoryLimit = (declared: number | undefined): number => declared ?? availableMemory();
