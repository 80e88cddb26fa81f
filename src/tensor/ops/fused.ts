import * as tf from '@tensorflow/tfjs-core';

export interface FusedCall {
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly attributes?: Readonly<Record<string, boolean | number>>;
}

/** Runs a kernel that only some backends have; null where the active one has not, and a formula must do. */
export function fused(kernelName: string, { inputs, attributes = {} }: FusedCall): tf.Tensor[] | null {
  if (tf.getKernel(kernelName, tf.getBackend()) === undefined) return null;
  return [tf.engine().runKernel(kernelName, { ...inputs }, { ...attributes })].flat();
}
