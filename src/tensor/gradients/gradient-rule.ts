import * as tf from '@tensorflow/tfjs-core';

/** How a kernel's gradient is found from the gradient of its output. */
export interface GradientRule {
  /** Inputs that the gradient needs, in the order in which it gets them. */
  readonly inputs?: readonly string[];
  /** The gradient needs the kernel's output; it comes after the inputs. */
  readonly output?: true;
  /** All inputs are needed: for kernels that take a list. */
  readonly allInputs?: true;
  readonly gradient: (dy: tf.Tensor, kept: Kept, attributes: Attributes) => Gradients;
}

/** What the rule asked to keep, by position; reading beyond it is a mistake in the rule. */
export interface Kept {
  readonly tensors: readonly tf.Tensor[];
  at(index: number): tf.Tensor;
}

/** A gradient for each input that has one, worked out only where it is wanted. */
type Gradients = Readonly<Record<string, () => tf.Tensor>>;

/** The attributes a kernel was called with; each rule knows the types of its own. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Rules by the name of their kernel. */
export type GradientRules = Readonly<Record<string, GradientRule>>;

/** Adds up the dimensions along which a tensor of `shape` was broadcast to that of `gradient`. */
export function sumToShape(gradient: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes([...shape], gradient.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, [...shape]);
}
