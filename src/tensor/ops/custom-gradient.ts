import * as tf from '@tensorflow/tfjs-core';

/** The value of an operation and the gradient of a loss with respect to each of its inputs. */
export interface Differentiated {
  readonly value: tf.Tensor;
  /** Returns one gradient for each input, given the gradient `dy` of the value and what was kept. */
  readonly gradient: (dy: tf.Tensor, kept: tf.Tensor[]) => tf.Tensor[];
}

/**
 * Runs `forward` and records its gradient in place of those of the operations inside it.
 * `inputs` are the tensors to differentiate by; everything the gradient needs goes through `keep`.
 */
export function customGradient(
  inputs: readonly tf.Tensor[],
  forward: (keep: (tensors: tf.Tensor[]) => void) => Differentiated,
): tf.Tensor {
  const operation = tf.customGrad((...received) => {
    // tfjs types the save function as one more input; it is always the last argument.
    const keep = received.at(-1) as unknown as tf.GradSaveFunc;
    const { value, gradient } = forward(keep);
    const gradFunc = (dy: tf.Tensor, kept: tf.Tensor[]) => {
      // Without this tfjs would hold all intermediate results until the last gradient is computed.
      const gradients = tf.tidy(() => gradient(dy, kept));
      releaseKept([...kept, ...(isFromBackward(dy, value) ? [dy] : [])], gradients);
      return gradients;
    };
    return { value, gradFunc };
  });
  return operation(...inputs);
}

/** Whether the backward pass made `dy` itself. A gradient older than the value was passed in and belongs to the caller. */
const isFromBackward = (dy: tf.Tensor, value: tf.Tensor): boolean => dy.id > value.id;

/**
 * Frees what the forward pass kept for gradients that are now computed. The tape of tfjs would hold it until the last
 * gradient, which costs an eager backend as much memory as all activations together. Inside gradients of gradients it
 * is still needed.
 */
function releaseKept(kept: readonly tf.Tensor[], gradients: readonly tf.Tensor[]): void {
  if (tf.engine().state.gradientDepth > 0) return;
  for (const tensor of kept) if (!gradients.includes(tensor)) tensor.dispose();
}

/** Runs a kernel that only some backends have; null if the active one lacks it; the caller then takes a formula. */
export function fused(
  kernelName: string,
  {
    inputs,
    attributes = {},
  }: {
    readonly inputs: Readonly<Record<string, tf.Tensor>>;
    readonly attributes?: Readonly<Record<string, boolean | number>>;
  },
): tf.Tensor[] | null {
  if (!hasKernel(kernelName)) return null;
  return [tf.engine().runKernel(kernelName, { ...inputs }, { ...attributes })].flat();
}

/** Whether the active backend has a kernel of this name. */
export const hasKernel = (kernelName: string): boolean =>
  tf.getKernel(kernelName, tf.getBackend()) !== undefined;
