import * as tf from '@tensorflow/tfjs-core';

/** Whether a tensor is a variable that is not trained: nobody asks for its gradient, so none is computed. */
export const isFrozen = (tensor: tf.Tensor): boolean => tensor instanceof tf.Variable && !tensor.trainable;
