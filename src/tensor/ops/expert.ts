import * as tf from '@tensorflow/tfjs-core';
import { swiGlu } from './activations.ts';
import { customGradient, fused, hasKernel } from './custom-gradient.ts';
import { isFrozen, linear } from './linear.ts';
import { isRounded } from './quantized-weights.ts';

export interface ExpertOptions {
  /** [N, C] */
  readonly x: tf.Tensor;
  /** [N, 1]: the weight of the expert in each token's sum; 0 for a token that is not sent to it, whose gradient is not defined. */
  readonly share: tf.Tensor;
  /** [I, C] */
  readonly gate: tf.Tensor;
  /** [I, C] */
  readonly up: tf.Tensor;
  /** [C, I] */
  readonly down: tf.Tensor;
}

/**
 * What a gated feed-forward layer adds to the states of the tokens that are sent to it: share (SwiGLU(x gateᵀ, x upᵀ) downᵀ),
 * [N, C]. A backend that can computes the rows of these tokens only.
 */
export function expertOutput(options: ExpertOptions): tf.Tensor {
  const { x, share, gate, up, down } = options;
  const weights = [gate, up, down];
  if (!hasKernel('Expert') || weights.some(isRounded)) {
    const part = (weight: tf.Tensor) => linear({ x, weight, transposeWeight: true });
    const inner = swiGlu({ gate: part(gate), up: part(up) }); // [N, I]
    return linear({ x: tf.mul(inner, share), weight: down, transposeWeight: true });
  }
  const learns = !weights.every(isFrozen);
  return customGradient([x, share, ...(learns ? weights : [])], (keep) => {
    keep([x, share, ...weights]);
    const [value = x] = fused('Expert', { inputs: { ...options } }) ?? [];
    return {
      value,
      gradient: (dy, kept) => {
        const [x, share, gate, up, down] = kept as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]; // as kept above
        const inputs = { x, share, gate, up, down, dy };
        return fused('ExpertGradient', { inputs, attributes: { learns } }) ?? [];
      },
    };
  });
}
