import * as tf from '@tensorflow/tfjs-core';

/** A backend that can prepare tensors once for all graphs that use them. */
interface ConstantHolder {
  holdConstant(tensors: readonly tf.Tensor[]): () => void;
}

/** Tells the active backend, where it can do something with it, that tensors stay as they are until the result is called. */
export function holdConstant(tensors: readonly tf.Tensor[]): () => void {
  const backend: object = tf.backend();
  return isConstantHolder(backend) ? backend.holdConstant(tensors) : () => undefined;
}

const isConstantHolder = (backend: object): backend is ConstantHolder => 'holdConstant' in backend;
