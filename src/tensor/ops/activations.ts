import * as tf from '@tensorflow/tfjs-core';
import { customGradient, fused } from './custom-gradient.ts';

const A = Math.sqrt(2 / Math.PI);
const B = 0.044715;

/**
 * GELU in its tanh form (Hendrycks and Gimpel 2016, arXiv:1606.08415), which GPT-2 was trained with:
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

export interface SwiGluOptions {
  /** Any shape */
  readonly gate: tf.Tensor;
  /** The same shape */
  readonly up: tf.Tensor;
}

/** The gated unit of Llama's feed-forward layers (Shazeer 2020, arXiv:2002.05202): y = gate sigmoid(gate) up. */
export function swiGlu({ gate, up }: SwiGluOptions): tf.Tensor {
  return customGradient([gate, up], (keep) => {
    keep([gate, up]);
    const value = fused('SwiGlu', { inputs: { gate, up } })?.[0];
    return { value: value ?? tf.mul(tf.mul(gate, tf.sigmoid(gate)), up), gradient: swiGluGradient };
  });
}

/** With h = sigmoid(gate) and s = gate h: dup = dy s, and dgate = dy up (h + s (1 - h)) = dy up (h (1 - s) + s). */
function swiGluGradient(dy: tf.Tensor, kept: tf.Tensor[]): tf.Tensor[] {
  const [gate, up] = kept as [tf.Tensor, tf.Tensor]; // as kept above
  const gradients = fused('SwiGluGradient', { inputs: { gate, up, dy } });
  if (gradients !== null) return gradients;
  const h = tf.sigmoid(gate);
  const s = tf.mul(gate, h);
  const slope = tf.add(tf.mul(h, tf.sub(1, s)), s);
  return [tf.mul(tf.mul(dy, up), slope), tf.mul(dy, s)];
}
