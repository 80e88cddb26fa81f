import * as tf from '@tensorflow/tfjs-core';
import { rotary } from '../../tensor/index.ts';
import type { ForwardPass } from '../forward-pass.ts';
import type { LlamaConfig } from './llama-config.ts';
import type { Rotary } from './rotary-config.ts';

/** Turns the heads of queries or keys, [N, H D], by their positions. */
type Rotate = (x: tf.Tensor) => tf.Tensor;

/** Rotary positions: the pair i of each head is turned by the angle position * f_i. */
export function rotaryEmbedding({ rotary: settings, headDim }: LlamaConfig, pass: Positions): Rotate {
  const { cosines, sines } = turnsOf(settings, pass);
  const shape: [number, number] = [pass.positions.length, settings.dim / 2];
  const turns = { cosines: tf.tensor2d(cosines, shape), sines: tf.tensor2d(sines, shape) }; // [N, R/2]
  return (x) => rotary({ x, headDim, ...turns });
}

type Positions = Pick<ForwardPass, 'positions' | 'textLengths'>;

/** The cosines and sines of N tokens' angles, [N, R / 2] each, in single precision as transformers has them. */
function turnsOf(settings: LlamaConfig['rotary'], { positions, textLengths }: Positions) {
  const half = settings.dim / 2;
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

/** The frequencies f_i, i < R/2, with which the pairs of a head turn in a text of that many tokens. */
function rotaryFrequencies(rotary: Rotary, textLength: number): Float32Array {
  const known = remembered.get(rotary) ?? new Map<number, Float32Array>();
  remembered.set(rotary, known);
  const key = decisiveLength(rotary, textLength);
  const frequencies = known.get(key) ?? computeFrequencies(rotary, key);
  if (known.size < mostRemembered) known.set(key, frequencies);
  return frequencies;
}

/** What cosines and sines are multiplied by, and so attention scores by its square. */
function rotaryScale({ scaling }: Rotary): number {
  return scaling.kind === 'yarn' || scaling.kind === 'longrope' ? scaling.attentionFactor : 1;
}

const remembered = new WeakMap<Rotary, Map<number, Float32Array>>();
const mostRemembered = 4096;

/** The same for all lengths that have the same frequencies. */
function decisiveLength({ scaling }: Rotary, textLength: number): number {
  switch (scaling.kind) {
    case 'dynamic':
      return Math.max(textLength, scaling.originalMaxPositionEmbeddings);
    case 'longrope':
      return Math.min(textLength, scaling.originalMaxPositionEmbeddings + 1) >
        scaling.originalMaxPositionEmbeddings
        ? scaling.originalMaxPositionEmbeddings + 1
        : scaling.originalMaxPositionEmbeddings;
    default:
      return 0;
  }
}

/** Formulas are those of the papers named below, in the form and the precision that transformers gives them. */
function computeFrequencies(rotary: Rotary, textLength: number): Float32Array {
  const { base, scaling } = rotary;
  switch (scaling.kind) {
    case 'default':
      return plainFrequencies(rotary, base);
    case 'linear': // Chen et al. 2023, arXiv:2306.15595
      return plainFrequencies(rotary, base).map((frequency) => frequency / scaling.factor);
    case 'dynamic': {
      // "NTK-aware" with the factor that the text at hand needs (Peng et al. 2023, arXiv:2309.00071, section 3.3).
      const stretch =
        (scaling.factor * textLength) / scaling.originalMaxPositionEmbeddings - (scaling.factor - 1);
      return plainFrequencies(rotary, base * stretch ** (rotary.dim / (rotary.dim - 2)));
    }
    case 'yarn':
      return yarnFrequencies(rotary, scaling);
    case 'llama3':
      return plainFrequencies(rotary, base).map((frequency) => llama3Frequency(frequency, scaling));
    case 'longrope': {
      // Ding et al. 2024, arXiv:2402.13753
      const factors =
        textLength > scaling.originalMaxPositionEmbeddings ? scaling.longFactors : scaling.shortFactors;
      return wavelengths(rotary, base).map(
        (length, pair) => 1 / Math.fround(Math.fround(factors[pair] ?? 1) * length),
      );
    }
    default:
      return scaling satisfies never;
  }
}

/** base^(2i/R), which is a wavelength but for 2 pi. */
const wavelengths = ({ dim }: Rotary, base: number): Float32Array =>
  Float32Array.from({ length: dim / 2 }, (_, pair) => base ** ((2 * pair) / dim));

const plainFrequencies = (rotary: Rotary, base: number): Float32Array =>
  wavelengths(rotary, base).map((length) => 1 / length);

/** YaRN (Peng et al. 2023, arXiv:2309.00071, section 3.2): fast pairs stay, slow ones are stretched, between them a ramp. */
function yarnFrequencies(
  rotary: Rotary,
  scaling: Extract<Rotary['scaling'], { kind: 'yarn' }>,
): Float32Array {
  const { dim, base } = rotary;
  const { factor, originalMaxPositionEmbeddings, betaFast, betaSlow, truncate } = scaling;
  const pairThatTurns = (times: number) =>
    (dim * Math.log(originalMaxPositionEmbeddings / (times * 2 * Math.PI))) / (2 * Math.log(base));
  const [first, last] = [pairThatTurns(betaFast), pairThatTurns(betaSlow)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, dim - 1);
  const extent = high === low ? 0.001 : high - low;
  return wavelengths(rotary, base).map((length, pair) => {
    const kept = 1 - Math.min(Math.max((pair - low) / extent, 0), 1);
    return (1 / (factor * length)) * (1 - kept) + (1 / length) * kept;
  });
}

/** Llama 3.1's: pairs with long waves are slowed down, those with short ones stay, between them a ramp. */
function llama3Frequency(frequency: number, scaling: Extract<Rotary['scaling'], { kind: 'llama3' }>): number {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalMaxPositionEmbeddings } = scaling;
  const turns = (originalMaxPositionEmbeddings * frequency) / (2 * Math.PI);
  if (turns < lowFrequencyFactor) return frequency / factor;
  if (turns > highFrequencyFactor) return frequency;
  const smooth = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}
