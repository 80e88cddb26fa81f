import * as tf from '@tensorflow/tfjs-core';
import { squaredWeightNorms } from '../../tensor/index.ts';
import { freeze, type LanguageModel, parameterOf } from '../language-model.ts';
import { adaptedPass } from './adapted-pass.ts';
import type { LoraAdapter } from './lora-adapter.ts';

/** A model whose own weights are frozen, and whose adapter is trained instead. */
export interface AdaptedModel extends LanguageModel {
  readonly adapter: LoraAdapter;
}

/**
 * A model with an adapter. The model itself stays as it is, so that several adapters can share it; disposing of the
 * adapted model disposes of the adapter only.
 */
export function adaptModel(model: LanguageModel, adapter: LoraAdapter): AdaptedModel {
  freeze(model.parameters.values());
  const norms = normsOf(model, adapter);
  const pass = adaptedPass({ model, adapter, norms });
  return {
    ...model,
    adapter,
    trainable: adapter.variables,
    adapterDropout: adapter.settings.dropout,
    hidden: (tokens) => model.hidden({ ...tokens, ...pass.hidden(tokens.dropout) }),
    logits: (hidden, tuning) => model.logits(hidden, { ...tuning, ...pass.logits(tuning?.dropout) }),
    dispose: () => {
      tf.dispose([...norms.values()]);
      adapter.dispose();
    },
  };
}

/** With DoRA, the squared norms of each adapted module's weights, which do not change. */
function normsOf(model: LanguageModel, { settings, layout }: LoraAdapter): ReadonlyMap<string, tf.Tensor> {
  if (!settings.dora) return new Map();
  return new Map(
    [...layout.targets].map(([name, { weight, inputFirst }]) => [
      name,
      tf.keep(tf.tidy(() => squaredWeightNorms({ weight: parameterOf(model, weight), inputFirst }))),
    ]),
  );
}
