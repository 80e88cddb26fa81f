import * as tf from '@tensorflow/tfjs-core';
import { linear, rmsNorm } from '../tensor/index.ts';
import type { HeadPass } from './forward-pass.ts';

/** x Wᵀ + b with the projection's adapter, [N, I] -> [N, O], by the names of the checkpoint. */
export function projectWith({ parameter, adapt }: HeadPass) {
  return (name: string, x: tf.Tensor, biased: boolean): tf.Tensor => {
    const bias = biased ? { bias: parameter(`${name}.bias`) } : {};
    const y = linear({ x, weight: parameter(`${name}.weight`), transposeWeight: true, ...bias });
    return adapt({ name, x, y });
  };
}

/** Normalizes each head by itself, with one scale [D] for all: [N, H D] -> [N, H D]. */
export function normHeads({
  x,
  scale,
  epsilon,
}: {
  readonly x: tf.Tensor;
  readonly scale: tf.Tensor;
  readonly epsilon: number;
}): tf.Tensor {
  const heads = tf.reshape(x, [-1, scale.size]); // [N H, D]
  return tf.reshape(rmsNorm({ x: heads, scale, epsilon }), x.shape);
}

/** Logits of selected hidden states by a head, which may be the token embedding: [M, C] -> [M, V]. */
export function headLogits(
  { parameter, adapt }: HeadPass,
  {
    hidden,
    name,
    weight,
    bias,
  }: {
    readonly hidden: tf.Tensor;
    /** The head's, for its adapter. */
    readonly name: string;
    /** The parameter [V, C]. */
    readonly weight: string;
    /** The parameter [V]. */
    readonly bias?: string;
  },
): tf.Tensor {
  const added = bias === undefined ? {} : { bias: parameter(bias) };
  const y = linear({ x: hidden, weight: parameter(weight), transposeWeight: true, ...added });
  return adapt({ name, x: hidden, y });
}
