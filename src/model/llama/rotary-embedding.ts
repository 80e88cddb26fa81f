import * as tf from '@tensorflow/tfjs-core';
import type { LlamaConfig } from './llama-config.ts';

/** Turns the heads of queries or keys, [N, H D], by their positions. */
export type Rotate = (x: tf.Tensor) => tf.Tensor;

/**
 * Rotary position embedding (Su et al. 2021, arXiv:2104.09864) in Hugging Face's half-split form: with
 * f_i = base^(-2i/D), the pair (x_i, x_{i + D/2}) of each head is turned by the angle position * f_i.
 */
export function rotaryEmbedding(config: LlamaConfig, positions: tf.Tensor): Rotate {
  const { headWidth } = config;
  const { cosines, sines } = tablesOf(config);
  const shape: [number, number] = [config.contextLength, headWidth];
  const perToken = (table: Float32Array) => tf.expandDims(tf.gather(tf.tensor2d(table, shape), positions), 1);
  const [cosine, sine] = [perToken(cosines), perToken(sines)]; // [N, 1, D]
  return (x) => {
    const heads = tf.reshape(x, [positions.size, -1, headWidth]); // [N, H, D]
    const [first, second] = tf.split(heads, 2, 2) as [tf.Tensor, tf.Tensor]; // [N, H, D/2]
    const turned = tf.concat([tf.neg(second), first], 2);
    return tf.reshape(tf.add(tf.mul(heads, cosine), tf.mul(turned, sine)), x.shape); // [N, H D]
  };
}

interface Tables {
  /** [T, D] */
  readonly cosines: Float32Array;
  /** [T, D] */
  readonly sines: Float32Array;
}

/** Made once a model: a long context has a million angles. */
const tables = new WeakMap<LlamaConfig, Tables>();

function tablesOf(config: LlamaConfig): Tables {
  const known = tables.get(config);
  if (known !== undefined) return known;
  const { contextLength, headWidth, rotaryBase } = config;
  const half = headWidth / 2;
  // In single precision, as transformers has it.
  const angles = Float32Array.from({ length: contextLength * headWidth }, (_, index) => {
    const frequency = 1 / Math.fround(rotaryBase ** ((2 * (index % half)) / headWidth));
    return Math.floor(index / headWidth) * Math.fround(frequency);
  });
  const made = { cosines: angles.map(Math.cos), sines: angles.map(Math.sin) };
  tables.set(config, made);
  return made;
}
