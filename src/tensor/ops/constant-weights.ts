import type * as tf from '@tensorflow/tfjs-core';
import { markConstant } from '../memory.ts';
import { quantizeOnUse } from './quantized-weights.ts';

/** How products with weights are computed: in float32, or with weights rounded to 8 or 4 bits in blocks. */
export type WeightPrecision = 'float32' | 'int8' | 'int4';

interface ConstantWeightsOptions {
  /** All parameters of a model, or some; those that are no matrices are never rounded. */
  readonly tensors: readonly tf.Tensor[];
  /** Of products with the matrices. */
  readonly precision: WeightPrecision;
  /** Those that are rounded to 8 bits with `int4` too. */
  readonly inEightBits?: ReadonlySet<tf.Tensor>;
}

/** Forgets the packed and the rounded copies when disposed of. */
type ConstantWeights = Disposable;

/**
 * Marks weights as constant until the result is disposed of, so that a backend may pack them once for all products.
 * With `int8` or `int4`, `linear` rounds the matrices among them. Not for weights that are being trained.
 */
export function constantWeights({
  tensors,
  precision,
  inEightBits = new Set(),
}: ConstantWeightsOptions): ConstantWeights {
  const matrices = precision === 'float32' ? [] : tensors.filter(({ rank }) => rank === 2);
  const isInFour = (matrix: tf.Tensor) => precision === 'int4' && !inEightBits.has(matrix);
  const quantized = [
    quantizeOnUse(matrices.filter(isInFour), 4),
    quantizeOnUse(
      matrices.filter((matrix) => !isInFour(matrix)),
      8,
    ),
  ];
  const release = markConstant(tensors);
  return {
    [Symbol.dispose]: () => {
      release();
      for (const each of quantized) each[Symbol.dispose]();
    },
  };
}
