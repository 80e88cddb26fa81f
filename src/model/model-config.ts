import type { JsonObject } from '../json.ts';
import { UserError } from '../user-error.ts';
import { type Gpt2Config, parseGpt2Config } from './gpt2/gpt2-config.ts';
import { type LlamaConfig, parseLlamaConfig } from './llama/llama-config.ts';

/** A model's sizes, by family; every family has the fields that batching, decoding and checking need. */
export type ModelConfig = Gpt2Config | LlamaConfig;

/** What every family's configuration says. */
export interface ModelSizes {
  readonly vocabularySize: number;
  /** The longest text in tokens. */
  readonly contextLength: number;
  /** Extent of a hidden state, C. */
  readonly width: number;
  readonly layers: number;
  /** Attention heads, each of `headWidth`. */
  readonly heads: number;
  /** Heads of keys and values, each shared by as many query heads as `heads` is a multiple of them. */
  readonly keyValueHeads: number;
  readonly headWidth: number;
  /** How many tokens a token looks back on, itself included; all where undefined. */
  readonly slidingWindow: number | undefined;
  /** Whether the head's weights are the token embedding itself. */
  readonly tied: boolean;
  /** The config.json that it was read from, for writing the model out again. */
  readonly json: JsonObject;
}

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
