import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';

export interface RearrangeRowsOptions {
  /** [N, C] */
  readonly x: tf.Tensor;
  /** int32 [M]: the row of x that each row of the result is. */
  readonly from: tf.Tensor;
  /** int32 [N]: the row of the result that takes the gradient of each row of x back to it. */
  readonly back: tf.Tensor;
}

/**
 * Rows of x in another order, [M, C]: y_i = x_from[i], and dx_j = dy_back[j]. A gather both ways, where that of `tf.gather`
 * would add up gradients row by row; so a row of x that fills several places gets the gradient of one of them, and it is
 * the caller's to see that the others have none.
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
