import type { JsonObject } from '../../core/index.ts';
import { ConfigFields, maxLayers } from '../config-fields.ts';
import type { Family, ModelSizes, ParameterSpec } from '../family.ts';
import { eachBlock, layerNormSpecs, matrix, type NamedSpec, zeros } from '../parameter-specs.ts';
import { withoutWindows } from '../windows.ts';

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
    windows: withoutWindows(fields, layers),
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
    matrix('transformer.wte.weight', [vocabularySize, hiddenSize]),
    matrix('transformer.wpe.weight', [contextLength, hiddenSize]),
    ...eachBlock('transformer.h', layers, (block) => [
      ...layerNormSpecs(`${block}.ln_1`, hiddenSize),
      ...inputFirst(`${block}.attn.c_attn`, { shape: [hiddenSize, 3 * hiddenSize], deviation: 0.02 }),
      ...inputFirst(`${block}.attn.c_proj`, { shape: [hiddenSize, hiddenSize], deviation: residual }),
      ...layerNormSpecs(`${block}.ln_2`, hiddenSize),
      ...inputFirst(`${block}.mlp.c_fc`, { shape: [hiddenSize, intermediateSize], deviation: 0.02 }),
      ...inputFirst(`${block}.mlp.c_proj`, { shape: [intermediateSize, hiddenSize], deviation: residual }),
    ]),
    ...layerNormSpecs('transformer.ln_f', hiddenSize),
    ...(tied ? [] : [matrix('lm_head.weight', [vocabularySize, hiddenSize])]),
  ]);
}

/** A projection whose weight is stored [in, out]. */
const inputFirst = (
  name: string,
  {
    shape,
    deviation,
  }: { readonly shape: readonly [inputs: number, outputs: number]; readonly deviation: number },
): readonly NamedSpec[] => [
  [`${name}.weight`, { shape, initial: { deviation } }],
  zeros(`${name}.bias`, shape[1]),
];
