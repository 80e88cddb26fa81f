import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../model/index.ts';
import { highest } from '../tensor/index.ts';
import type { MicroBatch } from './batches/micro-batch.ts';

/** Collects the routers' logits of a pass, and makes of them the loss that balances the load of experts. */
export interface RouterLoss {
  readonly routed: (logits: tf.Tensor) => void;
  /** To be added to the loss of the same pass. */
  readonly value: () => tf.Tensor;
}

/**
 * The loss that transformers adds for a model with experts whose config.json has `output_router_logits: true`; undefined for
 * others. Call it inside tf.tidy.
 */
export function routerLoss(config: ModelConfig, microBatch: MicroBatch): RouterLoss | undefined {
  const mixture = config.family === 'llama' ? config.mixture : undefined;
  if (mixture === undefined || mixture.balance === 0) return undefined;
  const all: tf.Tensor[] = [];
  return {
    routed: (logits) => void all.push(logits),
    value: () => {
      const { experts, chosen, balance } = mixture;
      return tf.mul(balance * experts, unevenness(all, { chosen, isToken: realTokens(microBatch) }));
    },
  };
}

/**
 * The sum over experts of the share of tokens sent to each, times its mean probability, over all layers together (Fedus et
 * al. 2021, arXiv:2101.03961, equations 4 to 6, with k experts per token). It is least where both are even.
 */
function unevenness(
  layers: readonly tf.Tensor[],
  { chosen, isToken }: { readonly chosen: number; readonly isToken: Float32Array },
): tf.Tensor {
  const column = tf.tensor2d(isToken, [isToken.length, 1]);
  const count = layers.length * isToken.reduce((sum, one) => sum + one, 0);
  const meanOf = (each: (logits: tf.Tensor) => tf.Tensor): tf.Tensor => {
    const sums = layers.map((logits) => tf.sum(tf.mul(each(logits), column), 0)); // [N, E] -> [E]
    return tf.div(
      sums.reduce((sum, one) => tf.add(sum, one)),
      count,
    );
  };
  const load = meanOf((logits) => highest(logits, chosen));
  return tf.sum(tf.mul(load, meanOf(tf.softmax)));
}

/** [N]: 1 for a token, 0 for padding. */
function realTokens(microBatch: MicroBatch): Float32Array {
  const { inputs, length, tokens } = microBatch;
  if (microBatch.layout === 'packed') return Float32Array.from(inputs, (_, index) => Number(index < tokens));
  const { lengths } = microBatch;
  return Float32Array.from(inputs, (_, index) =>
    Number(index % length < (lengths[Math.floor(index / length)] ?? 0)),
  );
}
