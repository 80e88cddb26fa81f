import * as tf from '@tensorflow/tfjs-core';

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
