import * as tf from '@tensorflow/tfjs-core';
import { constantWeights, type WeightPrecision } from '../tensor/index.ts';
import { openModelFolder, writeModelFolder } from './folder/model-folder.ts';
import { hiddenStates, vocabularyLogits } from './forward.ts';
import type { Adapt, Drop, DropoutFactors, ForwardPass } from './forward-pass.ts';
import { type ModelConfig, parameterLayout } from './model-config.ts';

/** A model with its weights on the active tensor backend. */
export interface LanguageModel {
  readonly config: ModelConfig;
  /** By name, in the order of the forward pass. Owned by the model until `dispose`. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  /** What a training changes: all parameters, or those that are not frozen, or adapters beside them. */
  readonly trainable: ReadonlyMap<string, tf.Variable>;
  /** Hidden states of N tokens after the last norm: [N, C]. */
  readonly hidden: (tokens: Tokens) => tf.Tensor;
  /** The vocabulary's logits for M of those states: [M, C] -> [M, V]. */
  readonly logits: (hidden: tf.Tensor, tuning?: Tuning) => tf.Tensor;
  readonly dispose: () => void;
}

/** A forward pass without the weights, which the model has. */
export interface Tokens extends Pick<ForwardPass, 'ids' | 'positions' | 'textLengths' | 'attend'>, Tuning {}

/** What a training adds to a pass; a model that is only used has none of it. */
interface Tuning {
  readonly adapt?: Adapt | undefined;
  readonly dropout?: DropoutFactors | undefined;
}

/** Loads a model folder onto the active backend, one parameter after the other. */
export async function openLanguageModel(folder: string): Promise<LanguageModel> {
  await using source = await openModelFolder(folder);
  const parameters = new Map<string, tf.Variable>();
  for (const [name, { shape }] of parameterLayout(source.config)) {
    const values = tf.tensor(await source.read(name), [...shape]);
    parameters.set(name, tf.variable(values));
    values.dispose();
  }
  return languageModel(source.config, parameters);
}

/** Writes config.json and model.safetensors; the tokenizer's files are the caller's. */
export function saveLanguageModel(folder: string, { config, parameters }: LanguageModel): Promise<void> {
  const read = async (name: string) => {
    const values = await parameters.get(name)?.data();
    if (values instanceof Float32Array) return values;
    throw new Error(`No parameter has the name ${name}`);
  };
  return writeModelFolder(folder, { config, read });
}

const unadapted: Adapt = ({ y }) => y;

const dropWith =
  (factorsAt: DropoutFactors | undefined): Drop =>
  (x, site) => {
    const factors = factorsAt?.({ ...site, shape: x.shape });
    return factors === undefined ? x : tf.mul(x, factors);
  };

/** A model whose weights are on the backend already. */
export function languageModel(
  config: ModelConfig,
  parameters: ReadonlyMap<string, tf.Variable>,
): LanguageModel {
  const parameter = (name: string) => {
    const found = parameters.get(name);
    if (found === undefined) throw new Error(`No parameter has the name ${name}`);
    return found;
  };
  return {
    config,
    parameters,
    trainable: parameters,
    hidden: ({ adapt = unadapted, dropout, ...tokens }) =>
      hiddenStates(config, { ...tokens, parameter, adapt, drop: dropWith(dropout) }),
    logits: (hidden, { adapt = unadapted } = {}) => vocabularyLogits(config, hidden, { parameter, adapt }),
    dispose: () => {
      for (const variable of parameters.values()) variable.dispose();
    },
  };
}

/** Has no gradients computed for variables from now on. */
export function freeze(variables: Iterable<tf.Variable>): void {
  for (const variable of variables) variable.trainable = false;
}

/** Lets the backend prepare a model's weights once, for as long as it only generates; the weights must not change meanwhile. */
export const quantizeWeights = (
  { parameters }: LanguageModel,
  precision: WeightPrecision = 'float32',
): Disposable => constantWeights({ tensors: [...parameters.values()], precision });
