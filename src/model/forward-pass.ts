import type * as tf from '@tensorflow/tfjs-core';
import { gpt2Hidden, gpt2Logits } from './gpt2/gpt2.ts';
import { llamaHidden, llamaLogits } from './llama/llama.ts';
import type { ModelConfig } from './model-config.ts';

/** What one forward pass computes on. The N tokens of all texts stand in one row; `attend` alone knows which belong together. */
export interface ForwardPass extends Weights {
  /** int32 [N] */
  readonly ids: tf.Tensor;
  /** int32 [N]: each token's place in its own text, from 0. */
  readonly positions: tf.Tensor;
  readonly attend: Attend;
}

export interface Weights {
  readonly parameter: (name: string) => tf.Tensor;
  /** What to add to the output [N, O] of a linear layer for its input x [N, I], as LoRA does; undefined for nothing. */
  readonly adapt?: ((layer: string, x: tf.Tensor) => tf.Tensor | undefined) | undefined;
}

/** Attention among the tokens of a pass: query [N, H D], key and value [N, K D] for K heads of keys and values -> [N, H D]. */
export type Attend = (projected: Projected) => tf.Tensor;

export interface Projected {
  readonly layer: number;
  readonly query: tf.Tensor;
  readonly key: tf.Tensor;
  readonly value: tf.Tensor;
}

/** The hidden states after the last normalization, [N, C]. */
export function hiddenStates(config: ModelConfig, pass: ForwardPass): tf.Tensor {
  switch (config.family) {
    case 'gpt2':
      return gpt2Hidden(config, pass);
    case 'llama':
      return llamaHidden(config, pass);
    default:
      return config satisfies never;
  }
}

/** The vocabulary's logits for M chosen hidden states: [M, C] -> [M, V]. */
export function vocabularyLogits(config: ModelConfig, hidden: tf.Tensor, weights: Weights): tf.Tensor {
  switch (config.family) {
    case 'gpt2':
      return gpt2Logits(config, hidden, weights);
    case 'llama':
      return llamaLogits(config, hidden, weights);
    default:
      return config satisfies never;
  }
}
