import type { JsonObject } from '../../core/index.ts';
import { ConfigFields, maxLayers } from '../config-fields.ts';
import type { Family, ModelSizes, ParameterSpec } from '../family.ts';

/** GPT-2 (Radford et al. 2019) as Hugging Face's GPT2LMHeadModel configures it. */
export interface Gpt2Config extends ModelSizes {
  readonly family: 'gpt2';
  /** Added to the variance in layer norm. */
  readonly epsilon: number;
}

export const gpt2: Family<Gpt2Config> = {
  parameters: gpt2Parameters,
  // GPT2LMHeadModel prefixes names with `transformer.`, GPT2Model does not.
  aliases: (name) => [name, name.replace(/^transformer\./, '')],
  // Causal masks, which older versions of transformers stored with the weights.
  ignored: (name) => /^(transformer\.)?h\.\d+\.attn\.(bias|masked_bias)$/.test(name),
  tiedHead: { head: 'lm_head.weight', embedding: 'transformer.wte.weight' },
  embeddings: ['transformer.wte.weight', 'transformer.wpe.weight'],
  inputFirst: true,
  gated: false,
  dropout: {
    fields: { embedding: 'embd_pdrop', attention: 'attn_pdrop', residual: 'resid_pdrop' },
    absent: 0.1,
    attentionOnly: false,
  },
};

export function parseGpt2Config(path: string, json: JsonObject): Gpt2Config {
  const fields = new ConfigFields(path, json);
  const contextLength = fields.count('n_positions');
  const hiddenSize = fields.count('n_embd');
  const heads = fields.count('n_head');
  if (hiddenSize % heads !== 0) throw fields.problem('n_head', `it does not divide n_embd, ${hiddenSize}`);
  // Names of one function: GELU with tanh.
  fields.oneOf('activation_function', ['gelu_new', 'gelu_pytorch_tanh', 'gelu_fast', 'gelu_accurate']);
  fields.oneOf('scale_attn_weights', [true]);
  fields.oneOf('scale_attn_by_inverse_layer_idx', [false]);
  const layers = fields.count('n_layer', maxLayers);
  // What transformers calls the sizes in other families; some programs write both names.
  fields.oneOf('max_position_embeddings', [contextLength]);
  fields.oneOf('hidden_size', [hiddenSize]);
  fields.oneOf('num_attention_heads', [heads]);
  fields.oneOf('num_hidden_layers', [layers]);
  return {
    family: 'gpt2',
    vocabularySize: fields.count('vocab_size'),
    contextLength,
    hiddenSize,
    layers,
    heads,
    keyValueHeads: heads,
    headDim: hiddenSize / heads,
    slidingWindow: undefined,
    intermediateSize: fields.optionalCount('n_inner') ?? 4 * hiddenSize,
    epsilon: fields.positive('layer_norm_epsilon', 1e-5),
    tied: fields.flag('tie_word_embeddings', true),
    json,
    notes: fields.judgeOthers(),
  };
}

/**
 * The parameters of GPT2LMHeadModel; its Conv1D weights are [in, out]. They start as in GPT-2: normal with deviation
 * 0.02, divided by sqrt(2 L) for the projections that add to the residual stream of L layers.
 */
function gpt2Parameters(config: Gpt2Config): ReadonlyMap<string, ParameterSpec> {
  const { vocabularySize, contextLength, hiddenSize, intermediateSize, layers, tied } = config;
  const residual = 0.02 / Math.sqrt(2 * layers);
  return new Map<string, ParameterSpec>([
    ['transformer.wte.weight', normal([vocabularySize, hiddenSize], 0.02)],
    ['transformer.wpe.weight', normal([contextLength, hiddenSize], 0.02)],
    ...Array.from({ length: layers }, (_, layer) => `transformer.h.${layer}`).flatMap((block) => [
      ...norm(`${block}.ln_1`, hiddenSize),
      ...projection(`${block}.attn.c_attn`, normal([hiddenSize, 3 * hiddenSize], 0.02)),
      ...projection(`${block}.attn.c_proj`, normal([hiddenSize, hiddenSize], residual)),
      ...norm(`${block}.ln_2`, hiddenSize),
      ...projection(`${block}.mlp.c_fc`, normal([hiddenSize, intermediateSize], 0.02)),
      ...projection(`${block}.mlp.c_proj`, normal([intermediateSize, hiddenSize], residual)),
    ]),
    ...norm('transformer.ln_f', hiddenSize),
    ...(tied ? [] : [['lm_head.weight', normal([vocabularySize, hiddenSize], 0.02)] as const]),
  ]);
}

type Named = readonly [name: string, spec: ParameterSpec];

const normal = (shape: readonly number[], deviation: number): ParameterSpec => ({
  shape,
  initial: { deviation },
});

const constant = (shape: readonly number[], value: number): ParameterSpec => ({
  shape,
  initial: { constant: value },
});

const norm = (name: string, size: number): readonly Named[] => [
  [`${name}.weight`, constant([size], 1)],
  [`${name}.bias`, constant([size], 0)],
];

const projection = (name: string, weight: ParameterSpec): readonly Named[] => [
  [`${name}.weight`, weight],
  [`${name}.bias`, constant(weight.shape.slice(1), 0)],
];
