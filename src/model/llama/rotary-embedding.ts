import * as tf from '@tensorflow/tfjs-core';
import { rotary } from '../../tensor/index.ts';
import type { ForwardPass } from '../forward-pass.ts';
import type { LlamaConfig } from './llama-config.ts';
import { rotaryFrequencies, rotaryScale } from './rotary-frequencies.ts';

/** Turns the heads of queries or keys, [N, H D], by their positions. */
export type Rotate = (x: tf.Tensor) => tf.Tensor;

/** Rotary positions: the pair i of each head is turned by the angle position * f_i. */
export function rotaryEmbedding({ rotary: settings, headWidth }: LlamaConfig, pass: Positions): Rotate {
  const { cosines, sines } = turnsOf(settings, pass);
  const shape: [number, number] = [pass.positions.length, settings.width / 2];
  const turns = { cosines: tf.tensor2d(cosines, shape), sines: tf.tensor2d(sines, shape) }; // [N, R/2]
  return (x) => rotary({ x, headWidth, ...turns });
}

type Positions = Pick<ForwardPass, 'positions' | 'textLengths'>;

/** The cosines and sines of N tokens' angles, [N, R / 2] each, in single precision as transformers has them. */
function turnsOf(settings: LlamaConfig['rotary'], { positions, textLengths }: Positions) {
  const half = settings.width / 2;
  const scale = rotaryScale(settings);
  const cosines = new Float32Array(positions.length * half);
  const sines = new Float32Array(positions.length * half);
  for (const [token, position] of positions.entries()) {
    const frequencies = rotaryFrequencies(settings, textLengths[token] ?? 0);
    for (let pair = 0; pair < half; pair++) {
      const angle = Math.fround(position * (frequencies[pair] ?? 0));
      cosines[token * half + pair] = Math.fround(Math.cos(angle)) * scale;
      sines[token * half + pair] = Math.fround(Math.sin(angle)) * scale;
    }
  }
  return { cosines, sines };
}
