import * as tf from '@tensorflow/tfjs-core';
import { refresh, rotary, shared } from '../../tensor/index.ts';
import type { ForwardPass } from '../forward-pass.ts';
import type { Rotary } from './rotary-config.ts';
import { rotaryFrequencies } from './rotary-frequencies.ts';

/** Rotary position embedding: rotates pair i of each head of x [N, H D] by the angle position * f_i. */
export function rotaryEmbedding(
  settings: Rotary,
  { headDim, pass }: { readonly headDim: number; readonly pass: Positions },
): (x: tf.Tensor) => tf.Tensor {
  const { cosines, sines } = cosAndSin(settings, pass);
  const shape: [number, number] = [pass.positions.length, settings.rotaryDim / 2];
  const angles = {
    cosines: shared(tf.tensor2d(cosines, shape)), // [N, R / 2]
    sines: shared(tf.tensor2d(sines, shape)),
  };
  return (x) => rotary({ x, headDim, ...angles });
}

type Positions = Pick<ForwardPass, 'positions' | 'textLengths'>;

/** The cosines and sines of N tokens' angles, [N, R / 2] each, in single precision as in transformers. */
function cosAndSin(settings: Rotary, { positions, textLengths }: Positions) {
  const half = settings.rotaryDim / 2;
  const scale = rotaryScale(settings);
  const cosines = new Float32Array(positions.length * half);
  const sines = new Float32Array(positions.length * half);
  refresh(() => {
    for (const [token, position] of positions.entries()) {
      const frequencies = rotaryFrequencies(settings, textLengths[token] ?? 0);
      for (let pair = 0; pair < half; pair++) {
        const angle = Math.fround(position * (frequencies[pair] ?? 0));
        cosines[token * half + pair] = Math.fround(Math.cos(angle)) * scale;
        sines[token * half + pair] = Math.fround(Math.sin(angle)) * scale;
      }
    }
  });
  return { cosines, sines };
}

/** A factor of cosines and sines; it scales attention scores by its square. */
function rotaryScale({ scaling }: Rotary): number {
  return scaling.kind === 'yarn' || scaling.kind === 'longrope' ? scaling.attentionFactor : 1;
}
