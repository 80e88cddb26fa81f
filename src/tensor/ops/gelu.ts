import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import { fused } from './fused.ts';

const A = Math.sqrt(2 / Math.PI);
const B = 0.044715;

/**
 * GELU in its tanh form (Hendrycks and Gimpel 2016, arXiv:1606.08415), the one GPT-2 was trained with:
 * y = x (1 + tanh(A (x + B x³))) / 2, any shape.
 */
export function gelu(x: tf.Tensor): tf.Tensor {
  return customGradient([x], (keep) => {
    keep([x]);
    const value = fused('GeluTanh', { inputs: { x } })?.[0];
    return { value: value ?? tf.mul(x, sigmoidForm(x, tf.mul(x, x))), gradient: geluGradient };
  });
}

/** With h = (1 + tanh u) / 2, dh/du = 2 h (1 - h), so dy/dx = h (1 + 2 x (1 - h) (A + 3 A B x²)). */
function geluGradient(dy: tf.Tensor, kept: tf.Tensor[]): tf.Tensor[] {
  const [x] = kept as [tf.Tensor]; // as kept above
  const gradient = fused('GeluTanhGradient', { inputs: { x, dy } });
  if (gradient !== null) return gradient;
  const square = tf.mul(x, x);
  const h = sigmoidForm(x, square);
  const slope = tf.add(tf.mul(square, 6 * A * B), 2 * A);
  const inner = tf.add(tf.mul(tf.mul(x, tf.sub(1, h)), slope), 1);
  return [tf.mul(dy, tf.mul(h, inner))];
}

/** (1 + tanh u) / 2 = sigmoid(2 u). */
function sigmoidForm(x: tf.Tensor, square: tf.Tensor): tf.Tensor {
  return tf.sigmoid(tf.mul(x, tf.add(tf.mul(square, 2 * A * B), 2 * A)));
}
