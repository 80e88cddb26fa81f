import * as tf from '@tensorflow/tfjs-core';

export interface FusedCall {
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly attributes?: Readonly<Record<string, boolean | number>>;
}

/** Runs a kernel that only some backends have; null where the active one has not, and a formula must do. */
export function fused(kernelName: string, { inputs, attributes = {} }: FusedCall): tf.Tensor[] | null {
  if (!hasKernel(kernelName)) return null;
  return [tf.engine().runKernel(kernelName, { ...inputs }, { ...attributes })].flat();
}

/** Whether the active backend has a kernel of this name. */
export const hasKernel = (kernelName: string): boolean =>
  tf.getKernel(kernelName, tf.getBackend()) !== undefined;
