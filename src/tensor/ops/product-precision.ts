import * as tf from '@tensorflow/tfjs-core';

export const HALF_PRECISIONS = ['bf16', 'fp16'] as const;

/** A number in 16 bits: bfloat16 has the range of float32, IEEE's half more digits and numbers up to 65504. */
export type HalfPrecision = (typeof HALF_PRECISIONS)[number];

/** The type to which the factors of a matrix product are rounded. */
export type ProductPrecision = 'float32' | HalfPrecision;

let current: ProductPrecision = 'float32';

/**
 * The precision of the products that are computed or recorded now. Kernels that multiply matrices of float32
 * (`_FusedMatMul`, `BatchMatMul`, `ScaledMatMul`) round both factors to it, and return float32.
 */
export const productPrecision = (): ProductPrecision => current;

/**
 * Calls `compute`, which must not return a promise, with the matrix products in this precision. A gradient that is asked
 * for inside is computed in it too. Throws if the active backend does not have it.
 */
export function withProductPrecision<Result>(precision: ProductPrecision, compute: () => Result): Result {
  if (precision !== 'float32' && !halfPrecisions().includes(precision))
    throw new Error(`the ${tf.getBackend()} backend has no products in ${precision}`);
  const outer = current;
  current = precision;
  try {
    return compute();
  } finally {
    current = outer;
  }
}

/** In which 16-bit types the active backend multiplies matrices, on this machine. */
export function halfPrecisions(): readonly HalfPrecision[] {
  const backend: object = tf.backend();
  return multipliesInHalf(backend) ? backend.halfPrecisions : [];
}

const multipliesInHalf = (
  backend: object,
): backend is { readonly halfPrecisions: readonly HalfPrecision[] } => 'halfPrecisions' in backend;
