import * as tf from '@tensorflow/tfjs-core';

/** How a kernel's gradients follow from the gradient of its output. */
export interface GradientRule {
  /** Inputs that the gradient needs, in the order in which it receives them. */
  readonly inputs?: readonly string[];
  /** The gradient also needs the kernel's output, which follows the inputs. */
  readonly output?: true;
  /** The gradient needs all inputs: for kernels that take a list. */
  readonly allInputs?: true;
  readonly gradient: (dy: tf.Tensor, kept: Kept, attributes: Attributes) => Gradients;
}

/** The tensors that the rule asked to keep, by position; reading beyond them is a bug in the rule. */
export interface Kept {
  readonly tensors: readonly tf.Tensor[];
  at(index: number): tf.Tensor;
}

/** A gradient for each input that has one, computed on demand. */
type Gradients = Readonly<Record<string, () => tf.Tensor>>;

/** The attributes that the kernel was called with; each rule knows their types. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Rules by the name of their kernel. */
export type GradientRules = Readonly<Record<string, GradientRule>>;

/** Sums a gradient over the dimensions along which a tensor of `shape` was broadcast. */
export function sumToShape(gradient: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes([...shape], gradient.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, [...shape]);
}

/** A gradient where the condition holds, 0 elsewhere. */
export function onlyWhere(condition: tf.Tensor, dy: tf.Tensor): tf.Tensor {
  return tf.mul(dy, tf.cast(condition, 'float32'));
}
