import { UserError } from '../core/index.ts';
import { elementCount } from '../formats/index.ts';
import { familyOf, type ModelConfig, parameterLayout } from './model-config.ts';

/** Weights that are in memory in few bits: how many, and their bytes. */
export interface QuantizedShare {
  readonly weights: number;
  readonly bytes: number;
}

export interface TrainingShape {
  /** Examples in a micro-batch, B. */
  readonly rows: number;
  /** Their padded length, T. */
  readonly length: number;
  /** Unmasked targets among them, M. */
  readonly targets: number;
  /** Numbers that are trained, in parameters or adapters. */
  readonly trained: number;
  /** The weights of a base that are kept quantized. */
  readonly quantized?: QuantizedShare | undefined;
  /** Numbers that the optimizer keeps, and those that it makes during a step; by default AdamW's two running means. */
  readonly optimizer?: { readonly state: number; readonly step: number };
  /** Whether a batch has several micro-batches, whose gradients are accumulated. */
  readonly accumulates: boolean;
  /** Whether the inside of a layer is computed again for the gradient, so that only the states between layers are kept. */
  readonly checkpoints: boolean;
}

const floatBytes = 4;
const trainingProcessBytes = 200_000_000;

/**
 * The peak of a training on the onnx backend. Weights, gradients and moments follow from their sizes. The rest is
 * fitted: the floats of a token's activations in a layer, 0.67 (10 C + 2 I) + 2 H T; the copies of its logits, 2; and
 * the shares of the weights and gradients that exist twice. They match the measured peaks of GPT-2 with 51 and 124
 * million parameters, trained fully and with LoRA in batches of 64 to 1024 tokens, within 5 %. A gated layer is assumed
 * to have twice as many inner activations.
 */
export function trainingMemory(config: ModelConfig, shape: TrainingShape): MemoryNeed {
  const { rows, length, targets, trained, accumulates, checkpoints } = shape;
  const { optimizer = { state: 2 * trained, step: 0 } } = shape;
  const parameters = parameterCount(config);
  const { layers, hiddenSize, heads, vocabularySize } = config;
  const inner = (familyOf(config).gated ? 4 : 2) * innerSize(config, trained < parameters);
  const scores = config.scoreCap === undefined ? 2 : 3; // a cap keeps the capped scores too
  const inLayer = rows * length * (0.67 * (10 * hiddenSize + inner) + scores * heads * length);
  const logits = 2 * targets * vocabularySize;
  // With checkpoints a layer's activations have their gradients beside them, and the logits are gone by then.
  const activations = checkpoints
    ? rows * length * layers * hiddenSize + Math.max(2 * inLayer, logits)
    : layers * inLayer + logits;
  const copies = accumulates ? 2.25 : 1; // those of a micro-batch and their sum; fitted too
  const { weights: quantized, bytes } = shape.quantized ?? { weights: 0, bytes: 0 };
  const float = floatBytes * (parameters - quantized);
  // Matrices in float32 again for the gradient, also turned where they are stored that way; fitted, and with checkpoints those
  // of a layer.
  const widenedOnce = familyOf(config).inputFirst ? 6.8 : 2.6;
  const widened = quantized * (checkpoints ? (2 * floatBytes) / layers : widenedOnce);
  return {
    weights: float + bytes,
    gradients: floatBytes * trained * copies,
    moments: floatBytes * (optimizer.state + optimizer.step),
    activations: floatBytes * activations,
    cache: 0,
    overhead: trainingProcessBytes + widened + 0.65 * float, // the engine's copies of weights in another layout
  };
}

/** I; with experts, that of those that compute a token: all of them where adapters may be on them. */
function innerSize(config: ModelConfig, mayAdapt: boolean): number {
  const mixture = config.family === 'llama' ? config.mixture : undefined;
  if (mixture === undefined) return config.intermediateSize;
  return (mayAdapt ? mixture.experts : mixture.chosen) * mixture.intermediateSize;
}

export function parameterCount(config: ModelConfig): number {
  let count = 0;
  for (const { shape } of parameterLayout(config).values()) count += elementCount(shape);
  return count;
}

/** The expected memory of a training or a generation, in bytes. */
export interface MemoryNeed {
  readonly weights: number;
  readonly gradients: number;
  /** The optimizer's state. */
  readonly moments: number;
  /** The intermediate results of one pass. */
  readonly activations: number;
  readonly cache: number;
  /** Node.js, the engine and its copies. */
  readonly overhead: number;
}

export const totalMemory = (need: MemoryNeed): number =>
  Object.values(need).reduce((sum: number, bytes: number) => sum + bytes, 0);

/** The error of a stage that would run out of memory. */
export function memoryError({
  what,
  need,
  limit,
  help,
}: {
  readonly what: 'training' | 'generating';
  readonly need: MemoryNeed;
  /** In bytes. */
  readonly limit: number;
  readonly help: string;
}): UserError {
  const parts = Object.entries(need)
    .filter(([, bytes]) => bytes >= 0.05e9)
    .map(([name, bytes]) => `${name} ${gigabytes(bytes)}`);
  return new UserError({
    code: 'too-little-memory',
    message: `${what} would take about ${gigabytes(totalMemory(need))} GB of memory (${parts.join(', ')}), and ${gigabytes(limit)} GB are available`,
    help: `${help}. The limit can be set: \`resources: { memory: 16GB }\``,
  });
}

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
