import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../core/index.ts';
import type { LanguageModel } from '../model/index.ts';

/**
 * A model that reads its tokens with noise, for one step (NEFTune, Jain et al. 2023, arXiv:2310.05914): to each number of an
 * embedded token it adds a uniform one within alpha / sqrt(L C), for a text of L tokens and the hidden size C. Noise is drawn
 * on the host from a stream named by seed, step and forward pass, so every backend adds the same, and a resumed training
 * continues exactly. Padding counts in trl's L, and not here, where it must not change what is learned.
 */
export function withNoise(
  model: LanguageModel,
  {
    alpha,
    seed,
    step,
  }: {
    readonly alpha: number;
    readonly seed: number;
    /** 1 is the first step. */
    readonly step: number;
  },
): LanguageModel {
  const { hiddenSize } = model.config;
  let passes = 0;
  return {
    ...model,
    hidden: (tokens) => {
      const random = new RandomStream(['neftune', seed, step, passes++]);
      const noise = noiseOf(tokens.textLengths, { alpha, hiddenSize, random });
      return model.hidden({ ...tokens, noise: tf.tensor(noise, [tokens.textLengths.length, hiddenSize]) });
    },
  };
}

/** [N, C], for N tokens of texts with these lengths. */
export function noiseOf(
  textLengths: Int32Array,
  {
    alpha,
    hiddenSize,
    random,
  }: { readonly alpha: number; readonly hiddenSize: number; readonly random: RandomStream },
): Float32Array {
  const noise = new Float32Array(textLengths.length * hiddenSize);
  for (const [token, length] of textLengths.entries()) {
    const bound = alpha / Math.sqrt(length * hiddenSize);
    const start = token * hiddenSize;
    for (let place = start; place < start + hiddenSize; place++)
      noise[place] = bound * (2 * random.uniform() - 1);
  }
  return noise;
}
