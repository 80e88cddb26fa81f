import type * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../core/index.ts';
import type { TrainConfig } from '../generated/train-config.ts';
import {
  adaptModel,
  freeze,
  type LanguageModel,
  type LoraAdapter,
  namePattern,
  nameSelection,
  newAdapter,
  saveAdaptedModel,
  saveLanguageModel,
  type Tokens,
  tokenModules,
} from '../model/index.ts';
import { checkpoint } from '../tensor/index.ts';
import { loraSettings } from './lora-settings.ts';
import { tuneTokens } from './tune-tokens.ts';

/** A model ready to be trained: the rest is frozen, and adapters are added if they are configured. */
interface TunedModel extends Disposable {
  readonly model: LanguageModel;
  /** Writes the model into a folder, in the layout of those that `load` reads. */
  readonly save: (folder: string) => Promise<void>;
}

/** Disposing of it disposes of the adapters, not of the model. Throws if the configuration names projections or parameters that the model does not have. */
export function tuneModel(
  model: LanguageModel,
  {
    config,
    seed,
    adapter,
    tokens,
  }: {
    readonly config: Pick<TrainConfig, 'lora' | 'trainable'> &
      Partial<Pick<TrainConfig, 'gradient_checkpointing'>>;
    /** Decides a new adapter's initial weights. */
    readonly seed: number;
    /** The one that `lora: continue` goes on with. */
    readonly adapter?: LoraAdapter | undefined;
    /** The ids of `trainable_tokens`. */
    readonly tokens?: readonly number[] | undefined;
  },
): TunedModel {
  const layered = (model: LanguageModel) => (config.gradient_checkpointing ? checkpointLayers(model) : model);
  const { lora } = config;
  if (lora !== undefined) {
    const rows = new Map(tokens && tokenModules(model.config).map((module) => [module, tokens]));
    const created =
      lora === 'continue'
        ? adapter
        : newAdapter(model, { settings: loraSettings(lora, model.config, rows), seed });
    if (created === undefined) throw new Error('`lora: continue` without an adapter');
    const adapted = adaptModel(model, created);
    const save = (folder: string) => saveAdaptedModel(folder, adapted);
    return { model: layered(adapted), save, [Symbol.dispose]: adapted.dispose };
  }
  const tuned = config.trainable === undefined ? model : trainOnly(model, config.trainable);
  const saveTuned = (folder: string) => saveLanguageModel(folder, tuned);
  if (tokens === undefined) return { model: layered(tuned), save: saveTuned, [Symbol.dispose]: () => {} };
  const { model: rowsTuned, settle, ...disposable } = tuneTokens(tuned, tokens);
  const save = (folder: string) => {
    settle();
    return saveTuned(folder);
  };
  return { model: layered(rowsTuned), save, ...disposable };
}

function trainOnly(model: LanguageModel, patterns: readonly string[]): LanguageModel {
  const trainable = trainableParameters(model.parameters, patterns);
  freeze([...model.parameters].filter(([name]) => !trainable.has(name)).map(([, variable]) => variable));
  return { ...model, trainable };
}

type Parameters = LanguageModel['parameters'];

/**
 * The parameters that patterns select: all that match one of them, except those that match one with a leading `!`.
 * Throws if a pattern matches nothing, or if all of them together select nothing.
 */
function trainableParameters(parameters: Parameters, patterns: readonly string[]): Parameters {
  const names = [...parameters.keys()];
  for (const pattern of patterns)
    if (!names.some(namePattern(pattern.replace(/^!/, '')))) throw noParameter(pattern, names);
  const isSelected = nameSelection(patterns);
  const chosen = [...parameters].filter(([name]) => isSelected(name));
  if (chosen.length === 0)
    throw new UserError({
      code: 'nothing-trainable',
      message: `\`trainable\` selects none of the model's ${names.length} parameters`,
      help: 'start with a pattern that does: trainable: ["*", "!transformer.wte.weight"]',
    });
  return new Map(chosen);
}

function noParameter(pattern: string, names: readonly string[]): UserError {
  const shown = names.slice(0, 4).map((name) => `\`${name}\``);
  return new UserError({
    code: 'unknown-parameter',
    message: `\`trainable\` has \`${pattern}\`, which matches no parameter of the model`,
    help: `\`*\` stands for any characters; the model's ${names.length} parameters start with ${shown.join(', ')}`,
  });
}

/**
 * The same model, whose gradient computes the inside of each layer again instead of keeping it: of a pass only the hidden
 * states between the layers stay in memory. Losses and gradients are the same bits.
 */
function checkpointLayers(model: LanguageModel): LanguageModel {
  const layer: NonNullable<Tokens['layer']> = (name, x, compute) =>
    checkpoint({ x, variables: variablesOf(model.trainable, name), compute });
  return { ...model, hidden: (tokens) => model.hidden({ ...tokens, layer }) };
}

/** The trained parameters and adapters of a layer. */
const variablesOf = (trainable: ReadonlyMap<string, tf.Variable>, layer: string): readonly tf.Variable[] =>
  [...trainable].filter(([name]) => name.startsWith(`${layer}.`)).map(([, variable]) => variable);
