import * as tf from '@tensorflow/tfjs-core';

/**
 * Frees what the forward pass had kept for gradients that are worked out now. The tape of tfjs would hold it until the last
 * gradient is there, which costs an eager backend as much memory as all activations together. Inside gradients of gradients
 * it is still needed.
 */
export function releaseKept(kept: readonly tf.Tensor[], gradients: readonly tf.Tensor[]): void {
  if (tf.engine().state.gradientDepth > 0) return;
  for (const tensor of kept) if (!gradients.includes(tensor)) tensor.dispose();
}
