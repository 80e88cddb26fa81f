import { constantWeights, type WeightPrecision } from '../tensor/index.ts';
import type { LanguageModel } from './language-model.ts';

/** Lets the backend prepare a model's weights once, for as long as it only generates; the weights must not change meanwhile. */
export const holdWeights = (
  { parameters }: LanguageModel,
  precision: WeightPrecision = 'float32',
): Disposable => constantWeights({ tensors: [...parameters.values()], precision });
