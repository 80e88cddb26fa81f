import type { JsonObject } from '../../core/index.ts';
import { ConfigFields, maxLayers } from '../config-fields.ts';
import type { Family, ModelSizes, ParameterSpec } from '../family.ts';
import { parseRotary, type Rotary } from './rotary-config.ts';

/** Llama (Touvron et al. 2023) and the models built like it: SmolLM2, TinyLlama, Mistral, Qwen2, Phi-3. */
export interface LlamaConfig extends ModelSizes {
  readonly family: 'llama';
  /** Added to the mean square in the norms. */
  readonly epsilon: number;
  readonly rotary: Rotary;
  /** Whether one projection makes queries, keys and values, and another both parts of the gated feed-forward layer. */
  readonly fused: boolean;
  /** Which projections have a bias. */
  readonly bias: {
    /** Queries, keys and values. */
    readonly inputs: boolean;
    /** Attention's output. */
    readonly output: boolean;
    readonly inner: boolean;
  };
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
interface Dialect {
  readonly epsilon: number;
  readonly fused: boolean;
  /** `num_key_value_heads` where the field is absent; undefined for the number of heads. */
  readonly keyValueHeads: number | undefined;
  readonly bias: (fields: ConfigFields) => LlamaConfig['bias'];
  readonly slidingWindow: (fields: ConfigFields, sizes: WindowedSizes) => number | undefined;
}

const defaultDialect: Dialect = {
  epsilon: 1e-6,
  fused: false,
  keyValueHeads: undefined,
  bias: refuseBias,
  slidingWindow: () => undefined,
};

function refuseBias(fields: ConfigFields): LlamaConfig['bias'] {
  for (const name of ['attention_bias', 'qkv_bias', 'mlp_bias', 'lm_head_bias']) fields.oneOf(name, [false]);
  return { inputs: false, output: false, inner: false };
}

const dialects = {
  llama: {
    ...defaultDialect,
    bias: (fields) => {
      const attention = fields.flag('attention_bias', false);
      return { inputs: attention, output: attention, inner: fields.flag('mlp_bias', false) };
    },
  },
  // transformers uses a window of 4096 if the field is absent, and none if it is null.
  mistral: {
    ...defaultDialect,
    keyValueHeads: 8,
    slidingWindow: (fields) => fields.countOrNull('sliding_window', 4096),
  },
  qwen2: {
    ...defaultDialect,
    keyValueHeads: 32,
    bias: (fields) => {
      // Qwen2 has these biases whatever its fields say, and its file must hold them.
      for (const name of ['attention_bias', 'qkv_bias']) fields.oneOf(name, [true, false]);
      return { inputs: true, output: false, inner: false };
    },
    slidingWindow: qwen2Window,
  },
  phi3: {
    ...defaultDialect,
    epsilon: 1e-5,
    fused: true,
    bias: (fields) => {
      for (const name of ['full_attn_mod', 'interpolate_factor']) fields.oneOf(name, [1]);
      return refuseBias(fields);
    },
    slidingWindow: (fields) => fields.countOrNull('sliding_window', undefined),
  },
} as const satisfies Readonly<Record<string, Dialect>>;

type LlamaDialect = keyof typeof dialects;

export const llamaDialects = Object.keys(dialects) as readonly LlamaDialect[]; // a literal's keys

interface WindowedSizes {
  readonly layers: number;
  /** `max_position_embeddings`. */
  readonly positions: number;
}

/** Qwen2 has a window in its last layers, from `max_window_layers` on, if `use_sliding_window` asks for it. */
function qwen2Window(fields: ConfigFields, { layers, positions }: WindowedSizes): number | undefined {
  const isUsed = fields.flag('use_sliding_window', false);
  const window = fields.countOrNull('sliding_window', 4096);
  const first = fields.countOrZero('max_window_layers', 28);
  if (!isUsed || window === undefined || window >= positions || first >= layers) return undefined;
  if (first === 0) return window;
  throw fields.problem(
    'use_sliding_window',
    `its window in layers ${first} to ${layers - 1} alone is not supported`,
  );
}

/** `path` is for messages. */
export function parseLlamaConfig(path: string, json: JsonObject, name: LlamaDialect): LlamaConfig {
  const dialect: Dialect = dialects[name];
  const fields = new ConfigFields(path, json);
  const heads = parseHeads(fields, dialect);
  const positions = fields.count('max_position_embeddings');
  const layers = fields.count('num_hidden_layers', maxLayers);
  const { headDim } = heads;
  const { rotary, notes } = parseRotary({ path, fields, headDim, positions, partial: name === 'phi3' });
  const slidingWindow = dialect.slidingWindow(fields, { layers, positions });
  fields.oneOf('hidden_act', ['silu', 'swish']);
  fields.oneOf('rope_interleaved', [false]);
  fields.everyOf('layer_types', slidingWindow === undefined ? 'full_attention' : 'sliding_attention');
  return {
    family: 'llama',
    vocabularySize: fields.count('vocab_size'),
    contextLength: contextLength(rotary, positions),
    ...heads,
    layers,
    intermediateSize: fields.count('intermediate_size'),
    epsilon: fields.positive('rms_norm_eps', dialect.epsilon),
    rotary,
    slidingWindow,
    fused: dialect.fused,
    bias: dialect.bias(fields),
    tied: fields.flag('tie_word_embeddings', false),
    json,
    notes: [...notes, ...fields.judgeOthers()],
  };
}

function parseHeads(fields: ConfigFields, dialect: Dialect) {
  const hiddenSize = fields.count('hidden_size');
  const heads = fields.count('num_attention_heads');
  const keyValueHeads = fields.countOrNull('num_key_value_heads', dialect.keyValueHeads) ?? heads;
  const headDim = fields.optionalCount('head_dim') ?? hiddenSize / heads;
  if (heads % keyValueHeads !== 0)
    throw fields.problem('num_key_value_heads', `it does not divide ${heads} heads`);
  if (headDim % 2 !== 0) throw fields.problem('num_attention_heads', 'heads of an even dimension are needed');
  return { hiddenSize, heads, keyValueHeads, headDim };
}

/** Scaling by a factor extends the context beyond `max_position_embeddings`. */
function contextLength({ scaling }: Rotary, positions: number): number {
  switch (scaling.kind) {
    case 'linear':
    case 'dynamic':
      return Math.floor(positions * scaling.factor);
    case 'yarn':
      return Math.max(positions, Math.floor(scaling.originalMaxPositionEmbeddings * scaling.factor));
    default:
      return positions;
  }
}

/** The parameters of LlamaForCausalLM; its linear weights are [out, in]. They start normal with deviation 0.02, norms at 1. */
function llamaParameters(config: LlamaConfig): ReadonlyMap<string, ParameterSpec> {
  const { vocabularySize, hiddenSize, layers, tied } = config;
  return new Map<string, ParameterSpec>([
    ['model.embed_tokens.weight', normal([vocabularySize, hiddenSize])],
    ...Array.from({ length: layers }, (_, layer) => `model.layers.${layer}`).flatMap((block): Named[] => [
      [`${block}.input_layernorm.weight`, ones(hiddenSize)],
      ...attention(config, `${block}.self_attn`),
      [`${block}.post_attention_layernorm.weight`, ones(hiddenSize)],
      ...feedForward(config, `${block}.mlp`),
    ]),
    ['model.norm.weight', ones(hiddenSize)],
    ...(tied ? [] : [['lm_head.weight', normal([vocabularySize, hiddenSize])] as const]),
  ]);
}

function attention(config: LlamaConfig, name: string): readonly Named[] {
  const { hiddenSize, heads, keyValueHeads, headDim, fused, bias } = config;
  const [queries, keys] = [heads * headDim, keyValueHeads * headDim];
  const inputs = fused
    ? projection(`${name}.qkv_proj`, { shape: [queries + 2 * keys, hiddenSize], bias: bias.inputs })
    : [
        ...projection(`${name}.q_proj`, { shape: [queries, hiddenSize], bias: bias.inputs }),
        ...projection(`${name}.k_proj`, { shape: [keys, hiddenSize], bias: bias.inputs }),
        ...projection(`${name}.v_proj`, { shape: [keys, hiddenSize], bias: bias.inputs }),
      ];
  return [...inputs, ...projection(`${name}.o_proj`, { shape: [hiddenSize, queries], bias: bias.output })];
}

function feedForward(
  { hiddenSize, intermediateSize, fused, bias }: LlamaConfig,
  name: string,
): readonly Named[] {
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

const projection = (
  name: string,
  { shape, bias }: { shape: readonly [outputs: number, inputs: number]; bias: boolean },
): readonly Named[] => [
  [`${name}.weight`, normal(shape)],
  ...(bias ? [[`${name}.bias`, { shape: [shape[0]], initial: { constant: 0 } }] as const] : []),
];

type Named = readonly [name: string, spec: ParameterSpec];

const normal = (shape: readonly number[]): ParameterSpec => ({ shape, initial: { deviation: 0.02 } });

const ones = (size: number): ParameterSpec => ({ shape: [size], initial: { constant: 1 } });
