import * as tf from '@tensorflow/tfjs-core';
import { computePending } from '../memory.ts';
import { customGradient } from './custom-gradient.ts';

export interface CheckpointOptions {
  readonly x: tf.Tensor;
  /** What `compute` reads besides `x` and a gradient is asked for. */
  readonly variables: readonly tf.Variable[];
  /** Is called once for the value and once for the gradient, and has to compute the same both times. */
  readonly compute: (x: tf.Tensor) => tf.Tensor;
}

/**
 * compute(x), of whose intermediate results none is kept: they are computed again for the gradient (Chen et al. 2016,
 * arXiv:1604.06174). A lazy backend computes the value before this returns, and the gradients before they are used.
 */
export function checkpoint({ x, variables, compute }: CheckpointOptions): tf.Tensor {
  const wantsGradient = tf.engine().state.gradientDepth > 0;
  if (!wantsGradient) return compute(x);
  const value = customGradient([x, ...variables], (keep) => {
    keep([x]);
    return {
      value: tf.tidy(() => compute(x)),
      gradient: (dy, kept) => {
        const [x] = kept as [tf.Tensor]; // as kept above
        const gradients = gradientsOf({ x, variables, compute }, dy);
        computePending();
        return gradients;
      },
    };
  });
  computePending();
  return value;
}

function gradientsOf({ x, variables, compute }: CheckpointOptions, dy: tf.Tensor): tf.Tensor[] {
  const { state } = tf.engine();
  const outerTape = state.activeTape;
  try {
    // A copy, because the gradients of what computed `x` are not wanted here.
    const input = tf.clone(x);
    const inputs = [input, ...variables];
    const { grads } = tf.engine().gradients(() => compute(input), inputs, dy, true);
    return grads.map((gradient, index) => gradient ?? tf.zerosLike(inputs[index] ?? input));
  } finally {
    // tfjs has one tape only, and the outer gradient still frees what its own holds.
    state.activeTape = outerTape;
  }
}

/**
 * Marks a tensor that several layers read and that a pass makes itself, such as a mask. Within `withSharedTensors` it lives
 * until the end, because a layer may be computed again after tfjs has ended the pass.
 */
export function shared<T extends tf.Tensor>(tensor: T): T {
  held?.push(tf.keep(tensor));
  return tensor;
}

/** Computes gradients of a pass, and disposes of its shared tensors afterwards. */
export function withSharedTensors<Result>(compute: () => Result): Result {
  const outer = held;
  held = [];
  try {
    return compute();
  } finally {
    tf.dispose(held);
    held = outer;
  }
}

let held: tf.Tensor[] | undefined;
