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

/**
 * GELU itself (Hendrycks and Gimpel 2016, arXiv:1606.08415), with the normal distribution P(x) = (1 + erf(x / sqrt 2)) / 2:
 * y = x P(x), any shape. The slope is P(x) + x p(x), with the density p.
 */
export function exactGelu(x: tf.Tensor): tf.Tensor {
  return customGradient([x], (keep) => {
    keep([x]);
    return {
      value: tf.mul(x, normalDistribution(x)),
      gradient: (dy, kept) => {
        const [x] = kept as [tf.Tensor]; // as kept above
        const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
        return [tf.mul(dy, tf.add(normalDistribution(x), tf.mul(x, density)))];
      },
    };
  });
}

const normalDistribution = (x: tf.Tensor): tf.Tensor =>
  tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);

interface SoftCapOptions {
  /** Any shape */
  readonly x: tf.Tensor;
  /** Positive */
  readonly cap: number;
}

/** Squeezes numbers between -cap and cap: y = cap tanh(x / cap) (Gemma 2, arXiv:2408.00118). */
export function softCap({ x, cap }: SoftCapOptions): tf.Tensor {
  return customGradient([x], (keep) => {
    const value = softCapped(x, cap);
    keep([value]);
    return {
      value,
      gradient: (dy, kept) => {
        const [y] = kept as [tf.Tensor]; // as kept above
        return [tf.mul(dy, capSlope(y, cap))];
      },
    };
  });
}

/** The value of `softCap`, for an operation with its own gradient. */
export const softCapped = (x: tf.Tensor, cap: number): tf.Tensor => tf.mul(tf.tanh(tf.div(x, cap)), cap);

/** dy/dx of `softCap` by its value: 1 - (y / cap)². */
export const capSlope = (y: tf.Tensor, cap: number): tf.Tensor => tf.sub(1, tf.square(tf.div(y, cap)));

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
