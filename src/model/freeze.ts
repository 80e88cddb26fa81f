import type * as tf from '@tensorflow/tfjs-core';

/** Has no gradients computed for variables from now on. */
export function freeze(variables: Iterable<tf.Variable>): void {
  for (const variable of variables) variable.trainable = false;
}
