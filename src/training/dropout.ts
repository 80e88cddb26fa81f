import * as tf from '@tensorflow/tfjs-core';
import { RandomStream, UserError } from '../core/index.ts';
import { elementCount } from '../formats/index.ts';
import type { TrainConfig } from '../generated/train-config.ts';
import {
  configDropout,
  type DropoutFactors,
  type DropoutSite,
  describeDropout,
  hasAttentionDropoutOnly,
  type LanguageModel,
} from '../model/index.ts';
import type { DropoutByMicroBatch } from './gradients.ts';
import type { TrainingTask } from './training-task.ts';

type DropoutRates = Readonly<Record<DropoutSite['place'], number>>;

/** The share of elements dropped at each kind of place; `dropout: model` takes it from the model's config.json. */
export const dropoutRates = (
  { dropout }: Pick<TrainConfig, 'dropout'>,
  { config, adapterDropout = 0 }: DroppingModel,
): DropoutRates => ({
  ...(dropout === 'model' ? configDropout(config) : dropout),
  adapter: adapterDropout,
});

type DroppingModel = Pick<LanguageModel, 'config' | 'adapterDropout'>;

/**
 * Dropout (Srivastava et al. 2014) in one step. It is drawn on the host from a stream named by seed, step, micro-batch
 * and site, so every backend drops the same elements and a resumed training continues exactly.
 */
export function dropoutOfStep({
  rates,
  seed,
  step,
}: {
  readonly rates: DropoutRates;
  readonly seed: number;
  /** 1 is the first step. */
  readonly step: number;
}): DropoutByMicroBatch {
  if (Object.values(rates).every((rate) => rate === 0)) return () => undefined;
  return (index): DropoutFactors =>
    ({ place, name, shape }) => {
      const rate = rates[place];
      if (rate === 0) return undefined;
      const random = new RandomStream(['dropout', seed, step, index, place, name]);
      const factors = new Float32Array(elementCount(shape)).fill(1 / (1 - rate));
      for (let element = 0; element < factors.length; element++)
        if (random.uniform() < rate) factors[element] = 0;
      return tf.tensor(factors, [...shape]);
    };
}

export function checkDropout({ config, model }: TrainingTask): void {
  const { embedding, residual } = dropoutRates(config, model);
  if (!hasAttentionDropoutOnly(model.config) || (embedding === 0 && residual === 0)) return;
  throw new UserError({
    code: 'no-such-dropout',
    message: `a model of the family ${model.config.family} has dropout in attention only`,
    help: 'leave `dropout.embedding` and `dropout.residual` at 0; `dropout.attention` and `lora.dropout` work',
  });
}

/** Notes that a model's config.json asks for dropout rates, which transformers would use, and the training has others. */
export function noteUnusedDropout({
  config,
  model,
  onNote,
}: Pick<TrainingTask, 'config' | 'onNote'> & {
  readonly model: Pick<TrainingTask['model'], 'config'>;
}): void {
  const stated = describeDropout(model.config);
  if (config.dropout === 'model' || stated.length === 0) return;
  const { embedding, attention, residual } = dropoutRates(config, model);
  const own = configDropout(model.config);
  if (own.embedding === embedding && own.attention === attention && own.residual === residual) return;
  onNote(
    `the model's config.json has ${stated.join(', ')}, which is ignored here: \`dropout: model\` uses it, as transformers does`,
  );
}
