import * as tf from '@tensorflow/tfjs-core';
import { floatWeight, magnitudeRatio, squaredWeightNorms } from '../../tensor/index.ts';
import { freeze, type LanguageModel, parameterOf } from '../language-model.ts';
import { type Adaptation, adaptedPass, matricesOf } from './adapted-pass.ts';
import { tensorNames } from './adapter-layout.ts';
import type { LoraAdapter } from './lora-adapter.ts';

/** A model whose own weights are frozen, and whose adapter is trained instead. */
export interface AdaptedModel extends LanguageModel {
  readonly adapter: LoraAdapter;
}

/**
 * A model with an adapter. The model itself stays as it is, so that several adapters can share it; disposing of the
 * adapted model disposes of the adapter only. One that does not learn is faster with DoRA.
 */
export function adaptModel(
  model: LanguageModel,
  adapter: LoraAdapter,
  { learns = true }: { readonly learns?: boolean } = {},
): AdaptedModel {
  freeze(model.parameters.values());
  const norms = normsOf(model, adapter);
  const learning = { model, adapter, ratioOf: magnitudeRatios({ model, adapter, norms }) };
  const ratios = learns ? undefined : fixedRatios(learning);
  const pass = adaptedPass(ratios === undefined ? learning : { model, adapter, ratioOf: ratios.ratioOf });
  return {
    ...model,
    adapter,
    trainable: adapter.variables,
    adapterDropout: adapter.settings.dropout,
    hidden: (tokens) => model.hidden({ ...tokens, ...pass.hidden(tokens.dropout) }),
    logits: (hidden, tuning) => model.logits(hidden, { ...tuning, ...pass.logits(tuning?.dropout) }),
    dispose: () => {
      tf.dispose([...norms.values()]);
      ratios?.dispose();
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
      tf.tidy(() => squaredWeightNorms({ weight: floatWeight(parameterOf(model, weight)), inputFirst })),
    ]),
  );
}

type RatioOf = Adaptation['ratioOf'];

/** The trained norm of each output's weights, divided by that of the weights with the adapter, as they are now: [O]. */
const magnitudeRatios =
  ({
    model,
    adapter,
    norms,
  }: Omit<Adaptation, 'ratioOf'> & { readonly norms: ReadonlyMap<string, tf.Tensor> }): RatioOf =>
  ({ name, target }) => {
    const magnitude = adapter.variables.get(tensorNames(name, target.kind).magnitude);
    const squaredNorms = norms.get(name);
    if (magnitude === undefined || squaredNorms === undefined) throw new Error(`${name} has no magnitude`);
    const { inputFirst, scale, weight } = target;
    return magnitudeRatio({
      ...{ magnitude, squaredNorms, inputFirst, scale, weight: parameterOf(model, weight) },
      ...matricesOf(adapter, { name, target }),
    });
  };

/** The same for an adapter that does not change, computed once. */
function fixedRatios({ adapter, ratioOf }: Adaptation): {
  readonly ratioOf: RatioOf;
  readonly dispose: () => void;
} {
  const ratios = new Map<string, tf.Tensor>();
  if (adapter.settings.dora)
    for (const [name, target] of adapter.layout.targets)
      ratios.set(name, tf.keep(tf.tidy(() => ratioOf({ name, target }))));
  return {
    ratioOf: (named) => ratios.get(named.name) ?? ratioOf(named),
    dispose: () => tf.dispose([...ratios.values()]),
  };
}
