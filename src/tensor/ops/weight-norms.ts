import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import { linear } from './linear.ts';

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
  const products = tf.transpose(linear({ x: down, weight, transposeWeight: !inputFirst })); // A w of each output: [O, r]
  const squares = tf.matMul(up, tf.matMul(down, down, false, true)); // [O, r]
  const factors = tf.add(tf.mul(products, 2 * scale), tf.mul(squares, scale * scale));
  return tf.sum(tf.mul(up, factors), 1);
}

/**
 * ‖w‖² of the weights of each output: [O]. It is computed on the host, because an engine would compute what depends on
 * constant weights alone while it compiles.
 */
export function squaredWeightNorms({
  weight,
  inputFirst,
}: Pick<AdaptedWeight, 'weight' | 'inputFirst'>): tf.Tensor {
  const values = weight.dataSync<'float32'>();
  const [rows = 0, columns = 0] = weight.shape;
  const sums = new Float64Array(inputFirst ? columns : rows);
  for (let row = 0, at = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, at++) {
      const value = values[at] ?? 0;
      const output = inputFirst ? column : row;
      sums[output] = (sums[output] ?? 0) + value * value;
    }
  return tf.tensor1d(Float32Array.from(sums));
}
