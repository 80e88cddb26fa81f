import * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../generated/train-config.ts';
import { freeze } from '../../model/freeze.ts';
import { type LanguageModel, saveLanguageModel } from '../../model/language-model.ts';
import { adaptModel } from '../../model/lora/adapted-model.ts';
import type { LoraSettings } from '../../model/lora/lora-settings.ts';
import { saveAdaptedModel } from '../../model/lora/save-adapted-model.ts';
import { trainableParameters } from './trainable-parameters.ts';

/** A model ready to be trained: what is not to be trained is frozen, and adapters stand where they were asked for. */
export interface TunedModel extends Disposable {
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
