import * as tf from '@tensorflow/tfjs-core';
import { type LinearOptions, linear } from '../tensor/index.ts';
import type { Weights } from './forward-pass.ts';

/** The linear layer of that name, and what an adapter adds to it: [N, I] -> [N, O]. */
export function adaptedLinear(layer: string, options: LinearOptions, { adapt }: Weights): tf.Tensor {
  const y = linear(options);
  const added = adapt?.(layer, options.x);
  return added === undefined ? y : tf.add(y, added);
}
