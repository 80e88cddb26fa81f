import type * as tf from '@tensorflow/tfjs-core';
import { markConstant } from '../memory.ts';
import { quantizeOnUse } from './quantized-weights.ts';

/** How products with weights are computed: in float32, or with weights rounded to 8 bits in blocks. */
export type WeightPrecision = 'float32' | 'int8';

interface ConstantWeightsOptions {
  /** All parameters of a model, or some; those that are no matrices are never rounded. */
  readonly tensors: readonly tf.Tensor[];
  /** Of products with the matrices. */
  readonly precision: WeightPrecision;
}

/** Forgets the packed and the rounded copies when disposed of. */
type ConstantWeights = Disposable;

/**
 * Marks weights as constant until the result is disposed of, so that a backend may pack them once for all products.
 * With `int8`, `linear` rounds the matrices among them to 8 bits. Not for weights that are being trained.
 */
export function constantWeights({ tensors, precision }: ConstantWeightsOptions): ConstantWeights {
  const quantized =
    precision === 'int8' ? quantizeOnUse(tensors.filter(({ rank }) => rank === 2)) : undefined;
  const release = markConstant(tensors);
  return {
    [Symbol.dispose]: () => {
      release();
      quantized?.[Symbol.dispose]();
    },
  };
}
