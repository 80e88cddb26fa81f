import { isObject, type JsonObject } from '../../core/index.ts';
import { ConfigFields } from '../config-fields.ts';
import { parseDecoder } from '../decoder-fields.ts';
import type { Family, ModelSizes, ParameterSpec } from '../family.ts';
import { llama } from '../llama/llama-config.ts';
import { eachBlock, matrix, projection, zeros } from '../parameter-specs.ts';
import type { Rotary } from '../rotary/rotary-config.ts';
import { mixedWindows } from '../windows.ts';

/** Gemma 2 and the text models of Gemma 3. Layers with a window are local, the others global. */
export interface GemmaConfig extends ModelSizes {
  readonly family: 'gemma';
  /** Added to the mean square in the norms. */
  readonly epsilon: number;
  /** Of the global layers. */
  readonly rotary: Rotary;
  readonly localRotary: Rotary;
  /** Whether the heads of queries and keys are normalized. */
  readonly qkNorm: boolean;
  /** Whether the projections of attention have biases. */
  readonly attentionBias: boolean;
  /** A factor of the queries: attention divides scores by sqrt(D), Gemma by sqrt(query_pre_attn_scalar). */
  readonly queryScale: number;
  /** Logits are squeezed between -cap and cap. */
  readonly logitCap: number | undefined;
}

/** Its names are Llama's. */
export const gemma: Family<GemmaConfig> = { ...llama, parameters: gemmaParameters };

export function parseGemma2Config(path: string, json: JsonObject): GemmaConfig {
  const fields = new ConfigFields(path, json);
  const { config, notes } = parseCommon(path, fields);
  const windows = localWindows(fields, { ...config, pattern: 2 });
  return {
    ...config,
    windows,
    scoreCap: fields.positiveOrNull('attn_logit_softcapping', 50),
    logitCap: fields.positiveOrNull('final_logit_softcapping', 30),
    localRotary: config.rotary,
    qkNorm: false,
    json,
    notes: [...notes, ...fields.judgeOthers()],
  };
}

export function parseGemma3Config(path: string, json: JsonObject): GemmaConfig {
  const fields = new ConfigFields(path, withFlatRotary(json));
  const { config, notes } = parseCommon(path, fields, { theta: 1_000_000 });
  const pattern = fields.optionalCount('sliding_window_pattern') ?? 6;
  const windows = localWindows(fields, { ...config, pattern });
  const localBase = fields.positive('rope_local_base_freq', 10_000);
  fields.oneOf('attn_logit_softcapping', [null]);
  return {
    ...config,
    windows,
    logitCap: fields.positiveOrNull('final_logit_softcapping', undefined),
    localRotary: { rotaryDim: config.headDim, base: localBase, scaling: { kind: 'default' } },
    qkNorm: true,
    json,
    notes: [...notes, ...fields.judgeOthers()],
  };
}

/** transformers 5 keeps the rotary positions of both kinds of layers in `rope_parameters`, transformers 4 in three fields. */
function withFlatRotary(json: JsonObject): JsonObject {
  const { rope_parameters: rotary, ...others } = json;
  if (!isObject(rotary) || !isObject(rotary.full_attention) || !isObject(rotary.sliding_attention))
    return json;
  const { full_attention, sliding_attention, ...unknown } = rotary;
  const { rope_theta, rope_type = 'default', ...more } = sliding_attention;
  if (rope_type !== 'default' || Object.keys(more).length + Object.keys(unknown).length > 0) return json;
  return {
    ...others,
    rope_scaling: full_attention,
    ...(rope_theta === undefined ? {} : { rope_local_base_freq: rope_theta }),
  };
}

function parseCommon(path: string, fields: ConfigFields, defaults: { readonly theta?: number } = {}) {
  const { sizes, notes } = parseDecoder(path, fields, { ...defaults, keyValueHeads: 4, headDim: 256 });
  fields.oneOf('use_bidirectional_attention', [false]);
  // The name that the family reads, and the one that older files have too.
  for (const name of ['hidden_activation', 'hidden_act']) fields.oneOf(name, ['gelu_pytorch_tanh']);
  const config = {
    ...sizes,
    family: 'gemma' as const,
    // Gemma 3's is that of the scaled positions.
    contextLength: fields.count('max_position_embeddings'),
    epsilon: fields.positive('rms_norm_eps', 1e-6),
    attentionBias: fields.flag('attention_bias', false),
    queryScale: Math.sqrt(sizes.headDim / fields.positive('query_pre_attn_scalar', 256)),
    tied: fields.flag('tie_word_embeddings', true),
  };
  return { config, notes };
}

/** Every layer is local but each `pattern`th, if there is no `layer_types`. */
function localWindows(
  fields: ConfigFields,
  { layers, pattern }: { readonly layers: number; readonly pattern: number },
): GemmaConfig['windows'] {
  const window = fields.countOrNull('sliding_window', 4096);
  if (window === undefined) throw fields.problem('sliding_window', 'a whole number of at least 1 is needed');
  fields.oneOf('sliding_window_size', [window]); // an older name, beside the other
  return mixedWindows(fields, { layers, window, isWindowed: (layer) => (layer + 1) % pattern !== 0 });
}

/** The parameters of Gemma2ForCausalLM and Gemma3ForCausalLM; norms start at 0, which is a scale of 1. */
function gemmaParameters(config: GemmaConfig): ReadonlyMap<string, ParameterSpec> {
  const { vocabularySize, hiddenSize, intermediateSize, headDim, layers, tied, attentionBias: bias } = config;
  const [queries, keys] = [config.heads * headDim, config.keyValueHeads * headDim];
  const norm = (name: string, size = hiddenSize) => zeros(`${name}.weight`, size);
  return new Map<string, ParameterSpec>([
    matrix('model.embed_tokens.weight', [vocabularySize, hiddenSize]),
    ...eachBlock('model.layers', layers, (block) => [
      norm(`${block}.input_layernorm`),
      ...projection(`${block}.self_attn.q_proj`, { shape: [queries, hiddenSize], bias }),
      ...projection(`${block}.self_attn.k_proj`, { shape: [keys, hiddenSize], bias }),
      ...projection(`${block}.self_attn.v_proj`, { shape: [keys, hiddenSize], bias }),
      ...(config.qkNorm
        ? ['q_norm', 'k_norm'].map((name) => norm(`${block}.self_attn.${name}`, headDim))
        : []),
      ...projection(`${block}.self_attn.o_proj`, { shape: [hiddenSize, queries], bias }),
      norm(`${block}.post_attention_layernorm`),
      norm(`${block}.pre_feedforward_layernorm`),
      matrix(`${block}.mlp.gate_proj.weight`, [intermediateSize, hiddenSize]),
      matrix(`${block}.mlp.up_proj.weight`, [intermediateSize, hiddenSize]),
      matrix(`${block}.mlp.down_proj.weight`, [hiddenSize, intermediateSize]),
      norm(`${block}.post_feedforward_layernorm`),
    ]),
    norm('model.norm'),
    ...(tied ? [] : [matrix('lm_head.weight', [vocabularySize, hiddenSize])]),
  ]);
}
