import * as tf from '@tensorflow/tfjs-core';
import type { AdaptedModel } from './adapted-model.ts';
import { loraPair } from './lora-adapters.ts';

/** A parameter's values with its adapter added in, W + scale B A: from then on the adapter is not needed. */
export async function mergedWeight(
  { parameters, adapters }: AdaptedModel,
  name: string,
): Promise<Float32Array> {
  const weight = parameters.get(name);
  if (weight === undefined) throw new Error(`No parameter has the name ${name}`);
  const projection = name.replace(/\.weight$/, '');
  const pair = loraPair(adapters, projection);
  if (pair === undefined) return weight.data<'float32'>();
  const merged = tf.tidy(() => {
    const product = adapters.targets.get(projection)?.inputFirst
      ? tf.matMul(pair.down, pair.up, true, true) // [I, O]
      : tf.matMul(pair.up, pair.down); // [O, I]
    return tf.add(weight, tf.mul(product, adapters.scale));
  });
  const values = await merged.data<'float32'>();
  merged.dispose();
  return values;
}
