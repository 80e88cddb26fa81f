import * as tf from '@tensorflow/tfjs-core';

/** The value of an operation and the gradient of a loss with respect to each of its inputs. */
export interface Differentiated {
  readonly value: tf.Tensor;
  /** Returns one gradient for each input, given the gradient `dy` of the value and what was kept. */
  readonly gradient: (dy: tf.Tensor, kept: tf.Tensor[]) => tf.Tensor[];
}

/**
 * Runs `forward` and records its own gradient in place of those of the operations inside it.
 * `inputs` are the tensors to differentiate by; whatever the gradient needs goes through `keep`.
 */
export function customGradient(
  inputs: readonly tf.Tensor[],
  forward: (keep: (tensors: tf.Tensor[]) => void) => Differentiated,
): tf.Tensor {
  const operation = tf.customGrad((...received) => {
    // tfjs types the saver as one more input: it is always the last argument.
    const keep = received.at(-1) as unknown as tf.GradSaveFunc;
    const { value, gradient } = forward(keep);
    const gradFunc = (dy: tf.Tensor, kept: tf.Tensor[]) => {
      // tfjs would hold what is worked out on the way until the last gradient is there.
      const gradients = tf.tidy(() => gradient(dy, kept));
      releaseKept([...kept, ...(isOfBackward(dy, value) ? [dy] : [])], gradients);
      return gradients;
    };
    return { value, gradFunc };
  });
  return operation(...inputs);
}

/** Whether the backward pass made a gradient itself: what a caller has given is older than the value, and stays the caller's. */
const isOfBackward = (dy: tf.Tensor, value: tf.Tensor): boolean => dy.id > value.id;

/**
 * Frees what the forward pass had kept for gradients that are worked out now. The tape of tfjs would hold it until the last
 * gradient is there, which costs an eager backend as much memory as all activations together. Inside gradients of gradients
 * it is still needed.
 */
function releaseKept(kept: readonly tf.Tensor[], gradients: readonly tf.Tensor[]): void {
  if (tf.engine().state.gradientDepth > 0) return;
  for (const tensor of kept) if (!gradients.includes(tensor)) tensor.dispose();
}

interface FusedCall {
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
