import * as tf from '@tensorflow/tfjs-core';

/** Adds up the dimensions along which a tensor of `shape` was broadcast to that of `gradient`. */
export function sumToShape(gradient: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes([...shape], gradient.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, [...shape]);
}
