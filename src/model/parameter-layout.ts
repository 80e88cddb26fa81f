import { gpt2Parameters } from './gpt2/gpt2-parameters.ts';
import { llamaParameters } from './llama/llama-parameters.ts';
import type { ModelConfig } from './model-config.ts';

/** What a parameter looks like, and where it starts when a model is made from nothing. */
export interface ParameterSpec {
  readonly shape: readonly number[];
  /** A constant, or normal with mean 0 and this standard deviation. */
  readonly initial: { readonly constant: number } | { readonly deviation: number };
}

/** Every parameter of a model by its name in Hugging Face's checkpoints, in the order of the forward pass. */
export function parameterLayout(config: ModelConfig): ReadonlyMap<string, ParameterSpec> {
  switch (config.family) {
    case 'gpt2':
      return gpt2Parameters(config);
    case 'llama':
      return llamaParameters(config);
    default:
      return config satisfies never;
  }
}
