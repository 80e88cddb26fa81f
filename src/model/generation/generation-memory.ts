import { elementCount } from '../../formats/index.ts';
import type { WeightPrecision } from '../../tensor/index.ts';
import { type MemoryNeed, memoryError, parameterCount, totalMemory } from '../memory.ts';
import { familyOf, type ModelConfig, parameterLayout } from '../model-config.ts';

export interface GenerationShape {
  /** Whether texts are written, over a cache of keys and values, or only read, to score them. */
  readonly kind: 'writes' | 'reads';
  /** Texts at a time. */
  readonly rows: number;
  /** Tokens of the longest text, its prompt included. */
  readonly slots: number;
  /** As which the weights are prepared once for all texts; undefined if they are not. */
  readonly precision: WeightPrecision | undefined;
  /** Tokens whose logits are computed at a time where texts are only read. */
  readonly scored?: number;
}

/** Says a setting as the user writes it. */
type Setting = (field: 'batch_size' | 'precision', value: number | string) => string;

const inYaml: Setting = (field, value) => `\`${field}: ${value}\``;

/** The expected peak memory of a generation, in bytes. Throws a UserError that says what would fit if it is above the limit. */
export function checkGenerationMemory({
  model,
  limit,
  setting = inYaml,
  ...given
}: GenerationShape & {
  readonly model: ModelConfig;
  /** In bytes. */
  readonly limit: number;
  readonly setting?: Setting;
}): number {
  const shape = { ...given, slots: Math.min(given.slots, model.contextLength) };
  const need = generationMemory(model, shape);
  const expected = totalMemory(need);
  if (expected <= limit) return expected;
  const fits = (change: Partial<GenerationShape>) =>
    totalMemory(generationMemory(model, { ...shape, ...change })) <= limit;
  const fewer = largest(shape.rows - 1, (rows) => fits({ rows }));
  const int8 =
    shape.precision === 'float32' ? largest(shape.rows, (rows) => fits({ rows, precision: 'int8' })) : 0;
  const changes =
    fewer > 0
      ? [setting('batch_size', fewer)]
      : int8 > 0
        ? [setting('precision', 'int8'), ...(int8 < shape.rows ? [setting('batch_size', int8)] : [])]
        : [];
  const help =
    changes.length > 0
      ? `${changes.join(' and ')} would fit`
      : 'no setting would fit: take a smaller model, or a machine with more memory';
  throw memoryError({ what: 'generating', need, limit, help });
}

/** The largest of 1, 2, ... `most` that fits, if smaller ones fit too; 0 if none does. */
function largest(most: number, fits: (rows: number) => boolean): number {
  for (let rows = most; rows >= 1; rows--) if (fits(rows)) return rows;
  return 0;
}

const floatBytes = 4;
const processBytes = 250_000_000;
/** Tokens of a forward pass over prompts; a longer prompt has one of its own. */
const prefillTokens = 256;
/** Tokens whose logits `generate` computes at a time where it scores texts. */
const scoredTokens = 256;

/**
 * The peak on the onnx backend. Weights and cache follow from their sizes; the shares of the weights that the engine packs
 * or that are rounded beside their float32 values, and the copies of a pass's intermediate results, are fitted.
 */
export function generationMemory(config: ModelConfig, shape: GenerationShape): MemoryNeed {
  const { kind, rows, slots, precision, scored = scoredTokens } = shape;
  const { layers, keyValueHeads, headDim, vocabularySize, heads, hiddenSize } = config;
  const weights = floatBytes * parameterCount(config);
  const multiplied = multipliedCount(config);
  const prepared = preparedShares[precision ?? 'none'] * multiplied;
  const keyValues = 2 * floatBytes * layers * keyValueHeads * headDim; // of a token
  const tokens = kind === 'reads' ? rows * slots : Math.max(prefillTokens, slots);
  const scores = heads * slots * tokens;
  const inLayer = tokens * (6 * hiddenSize + 2 * innerSizeOf(config)) + 2 * scores;
  const logits = (kind === 'reads' ? scored : rows) * vocabularySize;
  return {
    weights,
    gradients: 0,
    moments: 0,
    activations: floatBytes * (inLayer + 3 * logits) + (kind === 'writes' ? 2 * keyValues * tokens : 0),
    cache: kind === 'writes' ? keyValues * rows * slots : 0,
    overhead: processBytes + prepared,
  };
}

/** Bytes beside a weight's float32 value: packed, or in blocks of 32 numbers of 8 bits with a scale; fitted. */
const preparedShares = {
  float32: 1.2 * floatBytes,
  int8: 2.2 * 1.125,
  int4: 2.2 * 0.75,
  none: 0.2 * floatBytes,
} as const;

/** The weights that take part in products: matrices but embeddings, and a tied head's. */
function multipliedCount(config: ModelConfig): number {
  const { embeddings, tiedHead } = familyOf(config);
  const isLookedUp = (name: string) =>
    embeddings.includes(name) && !(config.tied && name === tiedHead.embedding);
  return [...parameterLayout(config)]
    .filter(([name, { shape }]) => shape.length === 2 && !isLookedUp(name))
    .reduce((sum, [, { shape }]) => sum + elementCount(shape), 0);
}

const innerSizeOf = (config: ModelConfig): number =>
  (familyOf(config).gated ? 2 : 1) * config.intermediateSize;
