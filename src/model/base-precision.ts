import type { QuantizedShare } from './memory.ts';
import { familyOf, type ModelConfig, parameterLayout } from './model-config.ts';

/** How a frozen base is kept: `int8` and `int4` in blocks of 32 weights that share a scale. */
export type BasePrecision = 'float32' | 'int8' | 'int4';

export interface MatrixLayout {
  readonly shape: readonly [number, number];
  /** Stored [O, I], not [I, O]. */
  readonly transposed: boolean;
  /** One of a layer's projections, not an embedding or the head. */
  readonly isProjection: boolean;
}

/** Blocks of weights that share a scale. */
const block = 32;

/** The matrices of a model, by their parameters' names. */
export function matrixLayouts(config: ModelConfig): ReadonlyMap<string, MatrixLayout> {
  const { embeddings, inputFirst, tiedHead } = familyOf(config);
  return new Map(
    [...parameterLayout(config)].flatMap(([name, { shape }]) => {
      const [rows = 0, columns = 0] = shape;
      if (shape.length !== 2 || !name.endsWith('.weight')) return [];
      const isProjection = !embeddings.includes(name) && name !== tiedHead.head;
      return [
        [name, { shape: [rows, columns], transposed: !isProjection || !inputFirst, isProjection }] as const,
      ];
    }),
  );
}

/**
 * The parameters that a base of this precision rounds: the projections of its layers, as in QLoRA (Dettmers et al. 2023,
 * arXiv:2305.14314). Embeddings, the head, norms and biases stay in float32, and so does a projection whose inputs are no
 * whole number of blocks. What the model's folder has in blocks is not rounded again.
 */
export function quantizedMatrices(
  config: ModelConfig,
  precision: BasePrecision,
): ReadonlyMap<string, MatrixLayout & { readonly bits: 4 | 8 }> {
  if (precision === 'float32') return new Map();
  const bits = precision === 'int8' ? 8 : 4;
  const whole = [...matrixLayouts(config)].filter(([, matrix]) => matrix.isProjection && fitsBlocks(matrix));
  return new Map(whole.map(([name, matrix]) => [name, { ...matrix, bits }]));
}

const fitsBlocks = ({ shape, transposed }: MatrixLayout): boolean =>
  (transposed ? shape[1] : shape[0]) % block === 0;

/** For the user: which projections stay in float32 all the same; undefined if none do. */
export function floatProjectionsNote(config: ModelConfig, precision: BasePrecision): string | undefined {
  const all = [...matrixLayouts(config)].filter(([, { isProjection }]) => isProjection);
  const left = all.filter(([, matrix]) => !fitsBlocks(matrix));
  if (precision === 'float32' || left.length === 0) return undefined;
  return `${left.length} of ${all.length} projections stay in float32, because their inputs are no multiple of ${block}: ${left[0]?.[0].replace(/\.weight$/, '')}${left.length > 1 ? ', ...' : ''}`;
}

/** How many weights a base of this precision keeps quantized, and their bytes with their scales. */
export function quantizedShare(config: ModelConfig, precision: BasePrecision): QuantizedShare {
  let [weights, bytes] = [0, 0];
  for (const { shape, bits } of quantizedMatrices(config, precision).values()) {
    weights += shape[0] * shape[1];
    // A block has a scale and, in 4 bits, a minimum.
    bytes += shape[0] * shape[1] * (bits / 8 + (bits === 8 ? 4 : 8) / block);
  }
  return { weights, bytes };
}
