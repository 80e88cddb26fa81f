import { type JsonObject, UserError } from '../core/index.ts';
import type { Family, ParameterSpec } from './family.ts';
import { type GemmaConfig, gemma, parseGemma2Config, parseGemma3Config } from './gemma/gemma-config.ts';
import { type GptNeoxConfig, gptNeox, parseGptNeoxConfig } from './gpt-neox/gpt-neox-config.ts';
import { type Gpt2Config, gpt2, parseGpt2Config } from './gpt2/gpt2-config.ts';
import { type LlamaConfig, llama, llamaDialects, parseLlamaConfig } from './llama/llama-config.ts';
import { type Olmo2Config, olmo2, parseOlmo2Config } from './olmo2/olmo2-config.ts';
import { type PhiConfig, parsePhiConfig, phi } from './phi/phi-config.ts';

/** A model's configuration, by family. */
export type ModelConfig = Gpt2Config | LlamaConfig | Olmo2Config | GptNeoxConfig | PhiConfig | GemmaConfig;

const families: Readonly<Record<ModelConfig['family'], Family<ModelConfig>>> = {
  gpt2,
  llama,
  olmo2,
  gpt_neox: gptNeox,
  phi,
  gemma,
};

/** The `model_type` of a config.json -> the parser of the rest. */
const parsers = new Map<unknown, (path: string, json: JsonObject) => ModelConfig>([
  ['gpt2', parseGpt2Config],
  ...llamaDialects.map(
    (dialect) =>
      [dialect, (path: string, json: JsonObject) => parseLlamaConfig(path, json, dialect)] as const,
  ),
  ['olmo2', parseOlmo2Config],
  ['gpt_neox', parseGptNeoxConfig],
  ['phi', parsePhiConfig],
  ['gemma2', parseGemma2Config],
  ['gemma3_text', parseGemma3Config],
]);

/**
 * Parses Hugging Face's config.json; `path` is for messages. A field that could change what the model computes, and is not
 * supported, is an error.
 */
export function parseModelConfig(path: string, json: JsonObject): ModelConfig {
  const parse = parsers.get(json.model_type);
  if (parse !== undefined) return parse(path, json);
  const type = json.model_type;
  throw new UserError({
    code: 'unsupported-model',
    message:
      type === undefined
        ? `${path} has no \`model_type\``
        : `${path} has the model_type ${JSON.stringify(type)}`,
    help: `tuneloom supports these types of models: ${[...parsers.keys()].join(', ')}`,
  });
}

export const familyOf = ({ family }: ModelConfig): Family<ModelConfig> => families[family];

export const parameterLayout = (config: ModelConfig): ReadonlyMap<string, ParameterSpec> =>
  familyOf(config).parameters(config);
