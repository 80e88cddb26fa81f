import * as tf from '@tensorflow/tfjs-core';

/**
 * Marks tensors as constant until the returned function is called. A backend that supports it may pack their elements
 * once for all the graphs that use them; elsewhere this does nothing.
 */
export function markConstant(tensors: readonly tf.Tensor[]): () => void {
  const backend: object = tf.backend();
  return marksConstants(backend) ? backend.markConstant(tensors) : () => undefined;
}

const marksConstants = (
  backend: object,
): backend is { markConstant(tensors: readonly tf.Tensor[]): () => void } => 'markConstant' in backend;

/** Computes what is pending on a lazy backend, so that it frees what only that needs. */
export function computePending(): void {
  const backend: object = tf.backend();
  if (computesLater(backend)) backend.computePending();
}

const computesLater = (backend: object): backend is { computePending(): void } => 'computePending' in backend;

/**
 * Disposes of tensors and lets a backend that supports it write later results of the same sizes into their arrays. What
 * was read from them must not be used afterwards.
 */
export function recycle(tensors: readonly tf.Tensor[]): void {
  const backend: object = tf.backend();
  if (recyclesArrays(backend)) backend.recycle(tensors);
  tf.dispose([...tensors]);
}

const recyclesArrays = (backend: object): backend is { recycle(tensors: readonly tf.Tensor[]): void } =>
  'recycle' in backend;
