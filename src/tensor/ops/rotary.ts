import * as tf from '@tensorflow/tfjs-core';
import { customGradient, fused } from './custom-gradient.ts';

export interface RotaryOptions {
  /** [N, H D]: N tokens' heads of D elements each, one head after the other */
  readonly x: tf.Tensor;
  /** D */
  readonly headDim: number;
  /** [N, R / 2]: of each token's angles; R is even and at most D. Not differentiated. */
  readonly cosines: tf.Tensor;
  /** [N, R / 2] */
  readonly sines: tf.Tensor;
}

/**
 * Rotary position embedding (Su et al. 2021, arXiv:2104.09864) in Hugging Face's half-split form: [N, H D] -> [N, H D].
 * Of the first R elements of each head, the pair (x_i, x_{i + R/2}) is rotated by the angle i of its token; the others
 * are unchanged.
 */
export function rotary({ x, headDim, cosines, sines }: RotaryOptions): tf.Tensor {
  return customGradient([x], (keep) => {
    keep([cosines, sines]);
    return {
      value: rotated({ x, headDim, cosines, sines }),
      gradient: (dy, kept) => {
        const [cosines, sines] = kept as [tf.Tensor, tf.Tensor]; // as kept above
        return [rotated({ x: dy, headDim, cosines, sines: tf.neg(sines) })]; // back by the same angle
      },
    };
  });
}

function rotated({ x, headDim, cosines, sines }: RotaryOptions): tf.Tensor {
  const result = fused('Rotary', { inputs: { x, cosines, sines }, attributes: { headDim } })?.[0];
  if (result !== undefined) return result;
  const [tokens = 0, half = 0] = cosines.shape;
  const heads = tf.reshape(x, [tokens, -1, headDim]); // [N, H, D]
  const [first, second, rest] = tf.split(heads, [half, half, headDim - 2 * half], 2) as [
    ...[tf.Tensor, tf.Tensor], // [N, H, R/2]
    tf.Tensor, // [N, H, D - R]
  ];
  const [cosine, sine] = [cosines, sines].map((angles) => tf.reshape(angles, [tokens, 1, half])) as [
    ...[tf.Tensor, tf.Tensor], // [N, 1, R/2]
  ];
  const parts = [
    tf.sub(tf.mul(first, cosine), tf.mul(second, sine)),
    tf.add(tf.mul(second, cosine), tf.mul(first, sine)),
  ];
  return tf.reshape(tf.concat(2 * half === headDim ? parts : [...parts, rest], 2), x.shape);
}

interface RearrangeRowsOptions {
  /** [N, C] */
  readonly x: tf.Tensor;
  /** int32 [M]: the row of x behind each row of the result. */
  readonly from: tf.Tensor;
  /** int32 [N]: the row of the result whose gradient each row of x gets. */
  readonly back: tf.Tensor;
}

/**
 * Rows of x in another order, [M, C]: y_i = x_from[i], and dx_j = dy_back[j]. It gathers both ways, while the gradient
 * of `tf.gather` would add rows one by one. A row of x that appears several times gets the gradient of one copy only:
 * the caller makes sure that the others have none.
 */
export function rearrangeRows({ x, from, back }: RearrangeRowsOptions): tf.Tensor {
  return customGradient([x], (keep) => {
    keep([back]);
    return {
      value: tf.gather(x, from),
      gradient: (dy, kept) => {
        const [back] = kept as [tf.Tensor]; // as kept above
        return [tf.gather(dy, back)];
      },
    };
  });
}
