import * as tf from '@tensorflow/tfjs-core';

export const HALF_PRECISIONS = ['bf16', 'fp16'] as const;

/** A number in 16 bits: bfloat16 has the range of float32, IEEE's half more digits and numbers up to 65504. */
export type HalfPrecision = (typeof HALF_PRECISIONS)[number];

/** The type to which the factors of a matrix product are rounded. */
export type ProductPrecision = 'float32' | HalfPrecision;

let chosen: ProductPrecision = 'float32';
let current: ProductPrecision = 'float32';

/**
 * Lets `linear` and `causalAttention` compute their products in this precision while `compute` runs, which must not return
 * a promise. A gradient that is asked for inside has its products in it too. Throws if the active backend lacks it.
 */
export function withProductPrecision<Result>(precision: ProductPrecision, compute: () => Result): Result {
  if (precision !== 'float32' && !halfPrecisions().includes(precision))
    throw new Error(`the ${tf.getBackend()} backend has no products in ${precision}`);
  const outer = chosen;
  chosen = precision;
  try {
    return compute();
  } finally {
    chosen = outer;
  }
}

/**
 * Calls a kernel for a product of the model, in the chosen precision. Products that only add numbers up, as those in a
 * norm's gradient do, are computed without this and stay exact.
 */
export function inChosenPrecision<Result>(callKernel: () => Result): Result {
  current = chosen;
  try {
    return callKernel();
  } finally {
    current = 'float32';
  }
}

/**
 * The precision that a kernel is called in. One that multiplies matrices of float32 (`_FusedMatMul`, `BatchMatMul`,
 * `ScaledMatMul`) rounds both factors to it, and returns float32.
 */
export const productPrecision = (): ProductPrecision => current;

/** In which 16-bit types the active backend multiplies matrices, on this machine. */
export function halfPrecisions(): readonly HalfPrecision[] {
  const backend: object = tf.backend();
  return multipliesInHalf(backend) ? backend.halfPrecisions : [];
}

const multipliesInHalf = (
  backend: object,
): backend is { readonly halfPrecisions: readonly HalfPrecision[] } => 'halfPrecisions' in backend;
