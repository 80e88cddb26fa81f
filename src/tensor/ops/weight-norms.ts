import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';

export interface AdaptedWeight {
  /** W: [O, I], or [I, O] with `inputFirst` */
  readonly weight: tf.Tensor;
  readonly inputFirst: boolean;
  /** A: [r, I] */
  readonly down: tf.Tensor;
  /** B: [O, r] */
  readonly up: tf.Tensor;
  readonly scale: number;
}

/**
 * magnitude / ‖W + scale B A‖, the norm of each output's weights: [O]. As in DoRA (Liu et al. 2024, arXiv:2402.09353,
 * section 4.3), the norms count as constants: only the magnitude gets a gradient. They are computed without B A, which is
 * as large as W: ‖w + s b A‖² = ‖w‖² + 2 s b (A w) + s² b (A Aᵀ) bᵀ.
 */
export function magnitudeRatio({
  magnitude,
  squaredNorms,
  ...adapted
}: AdaptedWeight & {
  /** [O] */
  readonly magnitude: tf.Tensor;
  /** ‖w‖² of each output: [O], see `squaredWeightNorms` */
  readonly squaredNorms: tf.Tensor;
}): tf.Tensor {
  return customGradient([magnitude], (keep) => {
    const norms = tf.sqrt(tf.add(squaredNorms, addedSquares(adapted)));
    keep([norms]);
    return {
      value: tf.div(magnitude, norms),
      gradient: (dy, kept) => [tf.div(dy, kept[0] as tf.Tensor)], // as kept above
    };
  });
}

/** 2 s b (A w) + s² b (A Aᵀ) bᵀ of each output: [O] */
function addedSquares({ weight, inputFirst, down, up, scale }: AdaptedWeight): tf.Tensor {
  const products = tf.matMul(weight, down, inputFirst, true); // A w of each output: [O, r]
  const squares = tf.matMul(up, tf.matMul(down, down, false, true)); // [O, r]
  const factors = tf.add(tf.mul(products, 2 * scale), tf.mul(squares, scale * scale));
  return tf.sum(tf.mul(up, factors), 1);
}

/** ‖w‖² of the weights of each output: [O] */
export const squaredWeightNorms = ({
  weight,
  inputFirst,
}: Pick<AdaptedWeight, 'weight' | 'inputFirst'>): tf.Tensor => tf.sum(tf.square(weight), inputFirst ? 0 : 1);
