import * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../generated/train-config.ts';
import type { DropoutFactors, DropoutSite } from '../../model/forward-pass.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { ownDropout } from '../../model/own-dropout.ts';
import { RandomStream } from '../../model/random-stream.ts';
import { elementCount } from '../../model/safetensors/tensor-type.ts';
import type { DropoutOfPieces } from './loss-and-gradients.ts';

/** The share of elements that is dropped at each kind of place. */
export type DropoutRates = Readonly<Record<DropoutSite['place'], number>>;

/** `dropout: model` means the rates of the model's own config.json. */
export const dropoutRates = (
  { dropout, lora }: Pick<TrainConfig, 'dropout' | 'lora'>,
  model: ModelConfig,
): DropoutRates => ({
  ...(dropout === 'model' ? ownDropout(model) : dropout),
  adapter: lora?.dropout ?? 0,
});

interface Moment {
  readonly rates: DropoutRates;
  readonly seed: number;
  /** 1 is the first step. */
  readonly step: number;
}

/**
 * Dropout (Srivastava et al. 2014) in one step. What is dropped is drawn on the host from a stream named by seed, step,
 * piece and site, so that every backend drops the same and a resumed training goes on as if it had not been interrupted.
 */
export function dropoutOfStep({ rates, seed, step }: Moment): DropoutOfPieces {
  if (Object.values(rates).every((rate) => rate === 0)) return () => undefined;
  return (piece): DropoutFactors =>
    ({ place, name, shape }) => {
      const rate = rates[place];
      if (rate === 0) return undefined;
      const random = new RandomStream(['dropout', seed, step, piece, place, name]);
      const factors = new Float32Array(elementCount(shape)).fill(1 / (1 - rate));
      for (let index = 0; index < factors.length; index++) if (random.uniform() < rate) factors[index] = 0;
      return tf.tensor(factors, [...shape]);
    };
}
