import type { JsonObject } from '../../core/index.ts';
import { ConfigFields } from '../config-fields.ts';
import { type DecoderDefaults, parseDecoder } from '../decoder-fields.ts';
import type { Family, ModelSizes, ParameterSpec } from '../family.ts';
import { eachBlock, matrix, type NamedSpec, ones, projection } from '../parameter-specs.ts';
import type { Rotary } from '../rotary/rotary-config.ts';
import { mixedWindows, uniformWindows, withoutWindows } from '../windows.ts';
import { type Mixture, mixtralMixture, mixtureSpecs, qwen3Mixture } from './mixture-config.ts';

/** Llama (Touvron et al. 2023) and the models built like it: SmolLM2, TinyLlama, Mistral, Mixtral, Qwen2, Qwen3, Phi-3. */
export interface LlamaConfig extends ModelSizes {
  readonly family: 'llama';
  /** Added to the mean square in the norms. */
  readonly epsilon: number;
  readonly rotary: Rotary;
  /** Whether one projection makes queries, keys and values, and another both parts of the gated feed-forward layer. */
  readonly fused: boolean;
  /** Whether the heads of queries and keys are normalized. */
  readonly qkNorm: boolean;
  /** Which projections have a bias. */
  readonly bias: {
    /** Queries, keys and values. */
    readonly inputs: boolean;
    /** Attention's output. */
    readonly output: boolean;
    readonly inner: boolean;
  };
  /** Its experts, if it has some. */
  readonly mixture?: Mixture | undefined;
}

export const llama: Family<LlamaConfig> = {
  parameters: llamaParameters,
  // LlamaForCausalLM prefixes names with `model.`, LlamaModel does not.
  aliases: (name) => [name, name.replace(/^model\./, '')],
  // Wavelengths and angles, which older versions of transformers stored with the weights.
  ignored: (name) =>
    /^(model\.)?(layers\.\d+\.self_attn\.)?rotary_emb\.(inv_freq|cos_cached|sin_cached)$/.test(name),
  tiedHead: { head: 'lm_head.weight', embedding: 'model.embed_tokens.weight' },
  embeddings: ['model.embed_tokens.weight'],
  inputFirst: false,
  gated: true,
  dropout: {
    fields: { embedding: 'embd_pdrop', attention: 'attention_dropout', residual: 'resid_pdrop' },
    absent: 0,
    attentionOnly: true,
  },
};

/** A `model_type` computed as Llama is, and how its config.json differs. */
interface Dialect extends DecoderDefaults {
  readonly epsilon: number;
  readonly fused: boolean;
  readonly qkNorm: boolean;
  readonly bias: (fields: ConfigFields) => LlamaConfig['bias'];
  readonly windows: (fields: ConfigFields, layers: number) => LlamaConfig['windows'];
  readonly mixture?: (
    fields: ConfigFields,
    sizes: Pick<ModelSizes, 'layers' | 'intermediateSize'>,
  ) => Mixture;
}

const defaultDialect: Dialect = {
  epsilon: 1e-6,
  fused: false,
  qkNorm: false,
  bias: refuseBias,
  windows: withoutWindows,
};

function refuseBias(fields: ConfigFields): LlamaConfig['bias'] {
  for (const name of ['attention_bias', 'qkv_bias', 'mlp_bias', 'lm_head_bias']) fields.oneOf(name, [false]);
  return { inputs: false, output: false, inner: false };
}

/** `attention_bias` is for all projections of attention. */
function attentionBias(fields: ConfigFields): LlamaConfig['bias'] {
  const attention = fields.flag('attention_bias', false);
  return { inputs: attention, output: attention, inner: false };
}

const dialects = {
  llama: {
    ...defaultDialect,
    bias: (fields) => ({ ...attentionBias(fields), inner: fields.flag('mlp_bias', false) }),
  },
  // transformers uses a window of 4096 if the field is absent, and none if it is null.
  mistral: {
    ...defaultDialect,
    keyValueHeads: 8,
    windows: (fields, layers) =>
      uniformWindows(fields, { layers, window: fields.countOrNull('sliding_window', 4096) }),
  },
  mixtral: {
    ...defaultDialect,
    epsilon: 1e-5,
    theta: 1_000_000,
    keyValueHeads: 8,
    windows: (fields, layers) =>
      uniformWindows(fields, { layers, window: fields.countOrNull('sliding_window', undefined) }),
    mixture: mixtralMixture,
  },
  qwen2: {
    ...defaultDialect,
    keyValueHeads: 32,
    bias: (fields) => {
      // Qwen2 has these biases whatever its fields say, and its file must hold them.
      for (const name of ['attention_bias', 'qkv_bias']) fields.oneOf(name, [true, false]);
      return { inputs: true, output: false, inner: false };
    },
    windows: qwenWindows,
  },
  qwen3: {
    ...defaultDialect,
    qkNorm: true,
    keyValueHeads: 32,
    headDim: 128,
    bias: attentionBias,
    windows: qwenWindows,
  },
  qwen3_moe: {
    ...defaultDialect,
    qkNorm: true,
    keyValueHeads: 4,
    bias: attentionBias,
    windows(fields, layers) {
      const window = fields.countOrNull('sliding_window', 4096);
      fields.countOrZero('max_window_layers'); // transformers writes it, but does not read it
      return uniformWindows(fields, {
        layers,
        window: fields.flag('use_sliding_window', false) ? window : undefined,
      });
    },
    mixture: qwen3Mixture,
  },
  phi3: {
    ...defaultDialect,
    epsilon: 1e-5,
    fused: true,
    share: 1,
    bias: (fields) => {
      for (const name of ['full_attn_mod', 'interpolate_factor']) fields.oneOf(name, [1]);
      return refuseBias(fields);
    },
    windows: (fields, layers) =>
      uniformWindows(fields, { layers, window: fields.countOrNull('sliding_window', undefined) }),
  },
} as const satisfies Readonly<Record<string, Dialect>>;

type LlamaDialect = keyof typeof dialects;

export const llamaDialects = Object.keys(dialects) as readonly LlamaDialect[]; // a literal's keys

/** Qwen has a window in its last layers, from `max_window_layers` on, if `use_sliding_window` asks for it. */
function qwenWindows(fields: ConfigFields, layers: number): LlamaConfig['windows'] {
  const isUsed = fields.flag('use_sliding_window', false);
  const window = fields.countOrNull('sliding_window', 4096);
  const first = fields.countOrZero('max_window_layers', 28);
  return mixedWindows(fields, {
    layers,
    window: isUsed ? window : undefined,
    isWindowed: (layer) => isUsed && window !== undefined && layer >= first,
  });
}

/** `path` is for messages. */
export function parseLlamaConfig(path: string, json: JsonObject, name: LlamaDialect): LlamaConfig {
  const dialect: Dialect = dialects[name];
  const fields = new ConfigFields(path, json);
  const { sizes, notes } = parseDecoder(path, fields, dialect);
  fields.oneOf('hidden_act', ['silu', 'swish']);
  fields.oneOf('rope_interleaved', [false]);
  return {
    family: 'llama',
    ...sizes,
    epsilon: fields.positive('rms_norm_eps', dialect.epsilon),
    windows: dialect.windows(fields, sizes.layers),
    fused: dialect.fused,
    qkNorm: dialect.qkNorm,
    bias: dialect.bias(fields),
    mixture: dialect.mixture?.(fields, sizes),
    tied: fields.flag('tie_word_embeddings', false),
    json,
    notes: [...notes, ...fields.judgeOthers()],
  };
}

/** The parameters of LlamaForCausalLM; its linear weights are [out, in]. They start normal with deviation 0.02, norms at 1. */
function llamaParameters(config: LlamaConfig): ReadonlyMap<string, ParameterSpec> {
  const { vocabularySize, hiddenSize, layers, tied, mixture } = config;
  return new Map<string, ParameterSpec>([
    matrix('model.embed_tokens.weight', [vocabularySize, hiddenSize]),
    ...eachBlock('model.layers', layers, (block, layer) => [
      ones(`${block}.input_layernorm.weight`, hiddenSize),
      ...attention(config, `${block}.self_attn`),
      ones(`${block}.post_attention_layernorm.weight`, hiddenSize),
      ...(mixture?.layers[layer]
        ? mixtureSpecs(mixture, { layer: block, hiddenSize })
        : feedForward(config, `${block}.mlp`)),
    ]),
    ones('model.norm.weight', hiddenSize),
    ...(tied ? [] : [matrix('lm_head.weight', [vocabularySize, hiddenSize])]),
  ]);
}

function attention(config: LlamaConfig, name: string): readonly NamedSpec[] {
  const { hiddenSize, heads, keyValueHeads, headDim, fused, qkNorm, bias } = config;
  const [queries, keys] = [heads * headDim, keyValueHeads * headDim];
  const inputs = fused
    ? projection(`${name}.qkv_proj`, { shape: [queries + 2 * keys, hiddenSize], bias: bias.inputs })
    : [
        ...projection(`${name}.q_proj`, { shape: [queries, hiddenSize], bias: bias.inputs }),
        ...projection(`${name}.k_proj`, { shape: [keys, hiddenSize], bias: bias.inputs }),
        ...projection(`${name}.v_proj`, { shape: [keys, hiddenSize], bias: bias.inputs }),
      ];
  return [
    ...inputs,
    ...(qkNorm ? ['q_norm', 'k_norm'].map((norm) => ones(`${name}.${norm}.weight`, headDim)) : []),
    ...projection(`${name}.o_proj`, { shape: [hiddenSize, queries], bias: bias.output }),
  ];
}

function feedForward(
  { hiddenSize, intermediateSize, fused, bias }: LlamaConfig,
  name: string,
): readonly NamedSpec[] {
  const inputs = fused
    ? projection(`${name}.gate_up_proj`, { shape: [2 * intermediateSize, hiddenSize], bias: bias.inner })
    : [
        ...projection(`${name}.gate_proj`, { shape: [intermediateSize, hiddenSize], bias: bias.inner }),
        ...projection(`${name}.up_proj`, { shape: [intermediateSize, hiddenSize], bias: bias.inner }),
      ];
  return [
    ...inputs,
    ...projection(`${name}.down_proj`, { shape: [hiddenSize, intermediateSize], bias: bias.inner }),
  ];
}
