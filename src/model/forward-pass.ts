import type * as tf from '@tensorflow/tfjs-core';
import { gpt2Hidden, gpt2Logits } from './gpt2/gpt2.ts';
import { llamaHidden, llamaLogits } from './llama/llama.ts';
import type { ModelConfig } from './model-config.ts';

/** What one forward pass computes on. The N tokens of all texts stand in one row; `attend` alone knows which belong together. */
export interface ForwardPass {
  readonly parameter: Parameters;
  /** int32 [N] */
  readonly ids: tf.Tensor;
  /** int32 [N]: each token's place in its own text, from 0. */
  readonly positions: tf.Tensor;
  readonly attend: Attend;
}

/** A model's parameters by their names in Hugging Face's checkpoints. */
export type Parameters = (name: string) => tf.Tensor;

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
export function vocabularyLogits(config: ModelConfig, hidden: tf.Tensor, parameter: Parameters): tf.Tensor {
  switch (config.family) {
    case 'gpt2':
      return gpt2Logits(config, hidden, parameter);
    case 'llama':
      return llamaLogits(config, hidden, parameter);
    default:
      return config satisfies never;
  }
}
