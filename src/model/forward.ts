import type * as tf from '@tensorflow/tfjs-core';
import type { ForwardPass, HeadPass } from './forward-pass.ts';
import { gpt2Hidden, gpt2Logits } from './gpt2/gpt2.ts';
import { llamaHidden, llamaLogits } from './llama/llama.ts';
import type { ModelConfig } from './model-config.ts';

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
export function vocabularyLogits(config: ModelConfig, hidden: tf.Tensor, pass: HeadPass): tf.Tensor {
  switch (config.family) {
    case 'gpt2':
      return gpt2Logits(config, hidden, pass);
    case 'llama':
      return llamaLogits(config, hidden, pass);
    default:
      return config satisfies never;
  }
}
