import * as tf from '@tensorflow/tfjs-core';
import type { ForwardPass } from '../forward-pass.ts';
import type { LlamaConfig } from './llama-config.ts';
import { rotaryFrequencies, rotaryScale } from './rotary-frequencies.ts';

/** Turns the heads of queries or keys, [N, H D], by their positions. */
export type Rotate = (x: tf.Tensor) => tf.Tensor;

/**
 * Rotary position embedding (Su et al. 2021, arXiv:2104.09864) in Hugging Face's half-split form: of the first R elements
 * of each head, the pair (x_i, x_{i + R/2}) is turned by the angle position * f_i; the others stay as they are.
 */
export function rotaryEmbedding({ rotary, headWidth }: LlamaConfig, pass: Positions): Rotate {
  const { positions } = pass;
  const { cosines, sines } = turnsOf(rotary, pass);
  const shape: [number, number, number] = [positions.length, 1, rotary.width];
  const [cosine, sine] = [tf.tensor3d(cosines, shape), tf.tensor3d(sines, shape)]; // [N, 1, R]
  const turn = (x: tf.Tensor) => {
    const [first, second] = tf.split(x, 2, 2) as [tf.Tensor, tf.Tensor]; // [N, H, R/2]
    return tf.add(tf.mul(x, cosine), tf.mul(tf.concat([tf.neg(second), first], 2), sine));
  };
  return (x) => {
    const heads = tf.reshape(x, [positions.length, -1, headWidth]); // [N, H, D]
    if (rotary.width === headWidth) return tf.reshape(turn(heads), x.shape); // [N, H D]
    const [turning, still] = tf.split(heads, [rotary.width, headWidth - rotary.width], 2) as [
      tf.Tensor, // [N, H, R]
      tf.Tensor, // [N, H, D - R]
    ];
    return tf.reshape(tf.concat([turn(turning), still], 2), x.shape); // [N, H D]
  };
}

type Positions = Pick<ForwardPass, 'positions' | 'textLengths'>;

/** The cosines and sines of N tokens' angles, [N, R] each, in single precision as transformers has them. */
function turnsOf(rotary: LlamaConfig['rotary'], { positions, textLengths }: Positions) {
  const half = rotary.width / 2;
  const scale = rotaryScale(rotary);
  const cosines = new Float32Array(positions.length * rotary.width);
  const sines = new Float32Array(positions.length * rotary.width);
  for (const [token, position] of positions.entries()) {
    const frequencies = rotaryFrequencies(rotary, textLengths[token] ?? 0);
    for (let pair = 0; pair < half; pair++) {
      const angle = Math.fround(position * (frequencies[pair] ?? 0));
      const place = token * rotary.width + pair;
      cosines[place] = cosines[place + half] = Math.fround(Math.cos(angle)) * scale;
      sines[place] = sines[place + half] = Math.fround(Math.sin(angle)) * scale;
    }
  }
  return { cosines, sines };
}
