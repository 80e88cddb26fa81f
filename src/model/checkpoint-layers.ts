import type * as tf from '@tensorflow/tfjs-core';
import { checkpoint } from '../tensor/index.ts';
import type { Layer } from './forward-pass.ts';
import type { LanguageModel } from './language-model.ts';

/**
 * The same model, whose gradient computes the inside of each layer again instead of keeping it: of a pass only the hidden
 * states between the layers stay in memory. Losses and gradients are the same bits.
 */
export function checkpointLayers(model: LanguageModel): LanguageModel {
  const layer: Layer = (name, x, compute) =>
    checkpoint({ x, variables: variablesOf(model.trainable, name), compute });
  return { ...model, hidden: (tokens) => model.hidden({ ...tokens, layer }) };
}

/** The trained parameters and adapters of a layer. */
const variablesOf = (trainable: ReadonlyMap<string, tf.Variable>, layer: string): readonly tf.Variable[] =>
  [...trainable].filter(([name]) => name.startsWith(`${layer}.`)).map(([, variable]) => variable);
