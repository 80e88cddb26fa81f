import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import { fused } from './fused.ts';

export interface SwiGluOptions {
  /** Of any shape */
  readonly gate: tf.Tensor;
  /** Of the same shape */
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
