import * as tf from '@tensorflow/tfjs-core';
import { type GradientRules, sumToShape } from './gradient-rule.ts';

interface Orders {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

export const matMulRules: GradientRules = {
  BatchMatMul: {
    inputs: ['a', 'b'],
    gradient: (dy, kept, attributes) => {
      const [a, b] = [kept.at(0), kept.at(1)];
      const orders = attributes as unknown as Orders; // the attributes of this kernel
      return {
        a: () => sumToShape(byFirst(dy, b, orders), a.shape),
        b: () => sumToShape(bySecond(dy, a, orders), b.shape),
      };
    },
  },
};

/** Y = A B gives dA = dY Bᵀ; Y = Aᵀ B gives dA = B dYᵀ; a transposed B is transposed once more. */
function byFirst(dy: tf.Tensor, b: tf.Tensor, { transposeA, transposeB }: Orders): tf.Tensor {
  return transposeA ? tf.matMul(b, dy, transposeB, true) : tf.matMul(dy, b, false, !transposeB);
}

function bySecond(dy: tf.Tensor, a: tf.Tensor, { transposeA, transposeB }: Orders): tf.Tensor {
  return transposeB ? tf.matMul(dy, a, true, transposeA) : tf.matMul(a, dy, !transposeA, false);
}
