import * as tf from '@tensorflow/tfjs-core';
import { linear } from '../../tensor/index.ts';
import type { Adapt, DropoutFactors } from '../forward-pass.ts';
import { freeze } from '../freeze.ts';
import type { LanguageModel } from '../language-model.ts';
import { createLoraAdapters, type LoraAdapters, loraPair } from './lora-adapters.ts';
import type { LoraSettings } from './lora-settings.ts';

/** A model whose own weights are frozen, with adapters that are trained instead. */
export interface AdaptedModel extends LanguageModel {
  readonly adapters: LoraAdapters;
}

interface Adaptation {
  readonly settings: LoraSettings;
  /** Decides where the adapters start. */
  readonly seed: number;
}

/** Puts adapters beside a model, which is theirs from then on: disposing of them disposes of it. */
export function adaptModel(model: LanguageModel, { settings, seed }: Adaptation): AdaptedModel {
  const adapters = createLoraAdapters({ config: model.config, settings, seed });
  freeze(model.parameters.values());
  return {
    ...model,
    adapters,
    trainable: adapters.variables,
    hidden: (tokens) => model.hidden({ ...tokens, adapt: adaptWith(adapters, tokens.dropout) }),
    logits: (hidden, tuning) =>
      model.logits(hidden, { ...tuning, adapt: adaptWith(adapters, tuning?.dropout) }),
    dispose: () => {
      for (const variable of adapters.variables.values()) variable.dispose();
      model.dispose();
    },
  };
}

/** y + scale B A dropout(x): [N, O]. The scale goes to the narrow product, of r columns. */
function adaptWith(adapters: LoraAdapters, dropout: DropoutFactors | undefined): Adapt {
  return ({ name, x, y }) => {
    const pair = loraPair(adapters, name);
    if (pair === undefined) return y;
    const factors = dropout?.({ place: 'adapter', name, shape: x.shape });
    const input = factors === undefined ? x : tf.mul(x, factors);
    const narrow = linear({ x: input, weight: pair.down, transposeWeight: true }); // [N, r]
    const added = linear({ x: tf.mul(narrow, adapters.scale), weight: pair.up, transposeWeight: true });
    return tf.add(y, added);
  };
}
