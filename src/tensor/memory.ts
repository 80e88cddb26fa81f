import * as tf from '@tensorflow/tfjs-core';
import { holdConstant, quantizeOnUse } from './ops/quantized-weights.ts';

/** How products with weights are computed: as they are, or with weights rounded to 8 bits in blocks. */
export type WeightPrecision = 'float32' | 'int8';

export interface ConstantWeightsOptions {
  readonly tensors: readonly tf.Tensor[];
  readonly precision: WeightPrecision;
}

/**
 * Says that these tensors stay as they are until the result is disposed of: a backend may then pack them once for all that
 * is computed with them. With `int8`, `linear` takes the matrices among them in 8 bits. Not for what is being trained.
 */
export function constantWeights({ tensors, precision }: ConstantWeightsOptions): Disposable {
  const quantized =
    precision === 'int8' ? quantizeOnUse(tensors.filter(({ rank }) => rank === 2)) : undefined;
  const release = holdConstant(tensors);
  return {
    [Symbol.dispose]: () => {
      release();
      quantized?.[Symbol.dispose]();
    },
  };
}

/** A backend that writes results into arrays that are no longer needed. */
interface Recycler {
  recycle(tensors: readonly tf.Tensor[]): void;
}

/**
 * Disposes of tensors, and lets a backend write later results of their sizes into the arrays that hold their values: nobody
 * may look at what was read from them again.
 */
export function recycle(tensors: readonly tf.Tensor[]): void {
  const backend: object = tf.backend();
  if (isRecycler(backend)) backend.recycle(tensors);
  tf.dispose([...tensors]);
}

const isRecycler = (backend: object): backend is Recycler => 'recycle' in backend;
