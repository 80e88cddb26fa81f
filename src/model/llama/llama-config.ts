import type { JsonObject } from '../../json.ts';
import { ConfigFields, mostLayers } from '../config-fields.ts';
import type { ModelSizes } from '../model-config.ts';

/** Llama (Touvron et al. 2023) as Hugging Face's LlamaForCausalLM configures it; SmolLM2 and TinyLlama among others. */
export interface LlamaConfig extends ModelSizes {
  readonly family: 'llama';
  /** Extent of the feed-forward layer. */
  readonly innerWidth: number;
  /** Added to the mean square in the norms. */
  readonly epsilon: number;
  /** The base of the rotary embedding's wavelengths. */
  readonly rotaryBase: number;
}

/** Fields that change no number here. */
const harmless = [
  ...['model_type', 'architectures', 'transformers_version', 'torch_dtype', 'dtype', '_name_or_path'],
  ...['attention_dropout', 'initializer_range', 'pretraining_tp', 'use_cache', 'tokenizer_class'],
  ...['bos_token_id', 'eos_token_id', 'pad_token_id', 'is_llama_config', 'transformers.js_config'],
];

export function parseLlamaConfig(path: string, json: JsonObject): LlamaConfig {
  const fields = new ConfigFields(path, json);
  const width = fields.count('hidden_size');
  const heads = fields.count('num_attention_heads');
  const keyValueHeads = fields.optionalCount('num_key_value_heads') ?? heads;
  const headWidth = fields.optionalCount('head_dim') ?? width / heads;
  if (heads % keyValueHeads !== 0)
    throw fields.problem('num_key_value_heads', `it does not divide ${heads} heads`);
  if (headWidth % 2 !== 0) throw fields.problem('num_attention_heads', 'heads of an even width are needed');
  fields.oneOf('hidden_act', ['silu']);
  fields.oneOf('attention_bias', [false]);
  fields.oneOf('mlp_bias', [false]);
  fields.oneOf('rope_scaling', [null]);
  fields.oneOf('rope_interleaved', [false]);
  const config: LlamaConfig = {
    family: 'llama',
    vocabularySize: fields.count('vocab_size'),
    contextLength: fields.count('max_position_embeddings'),
    width,
    layers: fields.count('num_hidden_layers', mostLayers),
    heads,
    keyValueHeads,
    headWidth,
    innerWidth: fields.count('intermediate_size'),
    epsilon: fields.positive('rms_norm_eps', 1e-6),
    rotaryBase: rotaryBase(fields, path),
    tied: fields.flag('tie_word_embeddings', false),
    json,
  };
  fields.refuseOthers(harmless);
  return config;
}

/** `rope_theta`, which transformers 5 keeps in an object with the kind of scaling. */
function rotaryBase(fields: ConfigFields, path: string): number {
  const parameters = fields.optionalObject('rope_parameters');
  if (parameters === undefined) return fields.positive('rope_theta', 10_000);
  const inner = new ConfigFields(`${path} in rope_parameters`, parameters);
  inner.oneOf('rope_type', ['default']);
  const base = inner.positive('rope_theta', 10_000);
  inner.refuseOthers([]);
  return base;
}
