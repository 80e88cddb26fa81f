import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../core/index.ts';
import type { TrainConfig } from '../generated/train-config.ts';
import {
  adaptModel,
  freeze,
  type LanguageModel,
  type LoraSettings,
  namePattern,
  saveAdaptedModel,
  saveLanguageModel,
} from '../model/index.ts';

/** A model ready to be trained: what is not to be trained is frozen, and adapters stand where they were asked for. */
interface TunedModel extends Disposable {
  readonly model: LanguageModel;
  /** Writes the model into a folder, in the layout of those that `load` reads. */
  readonly save: (folder: string) => Promise<void>;
}

interface Tuning {
  readonly config: Pick<TrainConfig, 'lora' | 'trainable'>;
  /** Decides where adapters start. */
  readonly seed: number;
}

/** Disposing of it disposes of the adapters, not of the model. Throws where the configuration names projections or parameters that the model does not have. */
export function tuneModel(model: LanguageModel, { config, seed }: Tuning): TunedModel {
  if (config.lora !== undefined) {
    const adapted = adaptModel(model, { settings: settingsOf(config.lora), seed });
    const dispose = () => tf.dispose([...adapted.trainable.values()]);
    return { model: adapted, save: (folder) => saveAdaptedModel(folder, adapted), [Symbol.dispose]: dispose };
  }
  const tuned = config.trainable === undefined ? model : trainOnly(model, config.trainable);
  return { model: tuned, save: (folder) => saveLanguageModel(folder, tuned), [Symbol.dispose]: () => {} };
}

function trainOnly(model: LanguageModel, patterns: readonly string[]): LanguageModel {
  const trainable = trainableParameters(model.parameters, patterns);
  freeze([...model.parameters].filter(([name]) => !trainable.has(name)).map(([, variable]) => variable));
  return { ...model, trainable };
}

const settingsOf = (lora: NonNullable<TrainConfig['lora']>): LoraSettings => ({
  rank: lora.r,
  alpha: lora.alpha,
  dropout: lora.dropout,
  targets: lora.targets,
  rankStabilized: lora.use_rslora,
});

type Parameters = LanguageModel['parameters'];

/**
 * The parameters that patterns choose: those that one of them names, but for those that one with a `!` before it names.
 * Throws where a pattern names none, or all of them together choose none.
 */
function trainableParameters(parameters: Parameters, patterns: readonly string[]): Parameters {
  const names = [...parameters.keys()];
  const rules = patterns.map((pattern) => {
    const matches = namePattern(pattern.replace(/^!/, ''));
    if (!names.some(matches)) throw noParameter(pattern, names);
    return { takesOut: pattern.startsWith('!'), matches };
  });
  const isNamed = (name: string, takesOut: boolean) =>
    rules.some((rule) => rule.takesOut === takesOut && rule.matches(name));
  const chosen = [...parameters].filter(([name]) => isNamed(name, false) && !isNamed(name, true));
  if (chosen.length === 0)
    throw new UserError({
      code: 'nothing-trainable',
      message: `\`trainable\` chooses none of the model's ${names.length} parameters`,
      help: 'begin with a pattern that does: trainable: ["*", "!transformer.wte.weight"]',
    });
  return new Map(chosen);
}

function noParameter(pattern: string, names: readonly string[]): UserError {
  const shown = names.slice(0, 4).map((name) => `\`${name}\``);
  return new UserError({
    code: 'unknown-parameter',
    message: `\`trainable\` has \`${pattern}\`, and no parameter of the model is called so`,
    help: `\`*\` stands for any characters; the model's ${names.length} parameters begin with ${shown.join(', ')}`,
  });
}
