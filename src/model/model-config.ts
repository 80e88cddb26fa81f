import { type JsonObject, UserError } from '../core/index.ts';
import type { CheckpointNames, ParameterSpec } from './family.ts';
import { type Gpt2Config, gpt2CheckpointNames, gpt2Parameters, parseGpt2Config } from './gpt2/gpt2-config.ts';
import {
  type LlamaConfig,
  llamaCheckpointNames,
  llamaParameters,
  parseLlamaConfig,
} from './llama/llama-config.ts';

/** A model's sizes, by family; every family has the fields that batching, decoding and checking need. */
export type ModelConfig = Gpt2Config | LlamaConfig;

/** Reads Hugging Face's config.json; `path` is for messages. A field or value that is not supported is an error. */
export function parseModelConfig(path: string, json: JsonObject): ModelConfig {
  switch (json.model_type) {
    case 'gpt2':
      return parseGpt2Config(path, json);
    case 'llama':
    case 'mistral':
    case 'qwen2':
    case 'phi3':
      return parseLlamaConfig({ path, json, dialect: json.model_type });
    default:
      throw new UserError({
        code: 'unsupported-model',
        message: `${path} has the model_type ${JSON.stringify(json.model_type) ?? 'undefined'}`,
        help: 'tuneloom has these families of models: gpt2, llama, mistral, qwen2, phi3',
      });
  }
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

export function checkpointNames(config: ModelConfig): CheckpointNames {
  switch (config.family) {
    case 'gpt2':
      return gpt2CheckpointNames;
    case 'llama':
      return llamaCheckpointNames;
    default:
      return config satisfies never;
  }
}
