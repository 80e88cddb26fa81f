import { elementCount } from '../../formats/index.ts';
import type { WeightPrecision } from '../../tensor/index.ts';
import { type MemoryNeed, memoryError, parameterCount, type QuantizedShare, totalMemory } from '../memory.ts';
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
  /** What the model's file has in few bits, and a precision other than float32 leaves so. */
  readonly kept?: QuantizedShare | undefined;
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
  const help =
    fewer > 0
      ? `${setting('batch_size', fewer)} would fit`
      : (inFewerBits(shape, { fits, setting }) ??
        'no setting would fit: take a smaller model, or a machine with more memory');
  throw memoryError({ what: 'generating', need, limit, help });
}

/** The precision with the most bits that would fit, with as many rows as then fit; undefined if none does. */
function inFewerBits(
  { rows: most, precision }: GenerationShape,
  {
    fits,
    setting,
  }: { readonly fits: (change: Partial<GenerationShape>) => boolean; readonly setting: Setting },
): string | undefined {
  const smaller = { float32: ['int8', 'int4'], int8: ['int4'], int4: [], none: [] } as const;
  for (const fewer of smaller[precision ?? 'none']) {
    const rows = largest(most, (rows) => fits({ rows, precision: fewer }));
    if (rows > 0)
      return `${[setting('precision', fewer), ...(rows < most ? [setting('batch_size', rows)] : [])].join(' and ')} would fit`;
  }
  return undefined;
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
  const kept = shape.precision === 'float32' ? undefined : shape.kept;
  const { layers, keyValueHeads, headDim, vocabularySize, heads, hiddenSize } = config;
  const floats = parameterCount(config) - (kept?.weights ?? 0);
  const weights = floatBytes * floats + (kept?.bytes ?? 0);
  const multiplied = kept === undefined ? multipliedCount(config) : 0;
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

/** Bytes beside a weight's float32 value: packed, or in blocks of 32 numbers of few bits with their scale; fitted. */
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
