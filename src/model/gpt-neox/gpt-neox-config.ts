import type { JsonObject } from '../../core/index.ts';
import { ConfigFields } from '../config-fields.ts';
import { parseDecoder } from '../decoder-fields.ts';
import type { Family, ModelSizes, ParameterSpec } from '../family.ts';
import { eachBlock, layerNormSpecs, matrix, projection } from '../parameter-specs.ts';
import type { Rotary } from '../rotary/rotary-config.ts';
import { withoutWindows } from '../windows.ts';

/** GPT-NeoX (Black et al. 2022) and the models built like it: Pythia, Dolly 2. */
export interface GptNeoxConfig extends ModelSizes {
  readonly family: 'gpt_neox';
  /** Added to the variance in layer norm. */
  readonly epsilon: number;
  readonly rotary: Rotary;
  /** GELU itself, or its tanh form. */
  readonly activation: 'gelu' | 'gelu_tanh';
  /** Whether feed-forward reads the block's input instead of the output of attention. */
  readonly parallelResidual: boolean;
  /** Whether the projections of attention have biases. */
  readonly attentionBias: boolean;
}

export const gptNeox: Family<GptNeoxConfig> = {
  parameters: gptNeoxParameters,
  // GPTNeoXForCausalLM prefixes names with `gpt_neox.`, GPTNeoXModel does not; transformers 5 renamed the head.
  aliases: (name) => [name, name.replace(/^gpt_neox\./, '').replace(/^embed_out\./, 'lm_head.')],
  // Causal masks and wavelengths, which older versions of transformers stored with the weights.
  ignored: (name) =>
    /^(gpt_neox\.)?(layers\.\d+\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)|rotary_emb\.inv_freq)$/.test(
      name,
    ),
  tiedHead: { head: 'embed_out.weight', embedding: 'gpt_neox.embed_in.weight' },
  embeddings: ['gpt_neox.embed_in.weight'],
  inputFirst: false,
  gated: false,
  dropout: {
    fields: { embedding: 'hidden_dropout', attention: 'attention_dropout', residual: 'hidden_dropout' },
    absent: 0,
    attentionOnly: false,
  },
};

const activations = {
  gelu: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
} as const;

export function parseGptNeoxConfig(path: string, json: JsonObject): GptNeoxConfig {
  const fields = new ConfigFields(path, json);
  const names = { theta: 'rotary_emb_base', share: 'rotary_pct' };
  const { sizes, notes } = parseDecoder(path, fields, { share: 0.25, rotaryNames: names });
  fields.oneOf('num_key_value_heads', [sizes.heads]);
  fields.oneOf('head_dim', [sizes.hiddenSize / sizes.heads]);
  return {
    family: 'gpt_neox',
    ...sizes,
    windows: withoutWindows(fields, sizes.layers),
    epsilon: fields.positive('layer_norm_eps', 1e-5),
    activation:
      activations[fields.word('hidden_act', ['gelu', 'gelu_new', 'gelu_fast', 'gelu_pytorch_tanh'])],
    parallelResidual: fields.flag('use_parallel_residual', true),
    attentionBias: fields.flag('attention_bias', true),
    tied: fields.flag('tie_word_embeddings', false),
    json,
    notes: [...notes, ...fields.judgeOthers()],
  };
}

/** The parameters of GPTNeoXForCausalLM; its linear weights are [out, in]. */
function gptNeoxParameters(config: GptNeoxConfig): ReadonlyMap<string, ParameterSpec> {
  const { vocabularySize, hiddenSize, intermediateSize, layers, tied, attentionBias } = config;
  return new Map<string, ParameterSpec>([
    matrix('gpt_neox.embed_in.weight', [vocabularySize, hiddenSize]),
    ...eachBlock('gpt_neox.layers', layers, (block) => [
      ...layerNormSpecs(`${block}.input_layernorm`, hiddenSize),
      ...projection(`${block}.attention.query_key_value`, {
        shape: [3 * hiddenSize, hiddenSize],
        bias: attentionBias,
      }),
      ...projection(`${block}.attention.dense`, { shape: [hiddenSize, hiddenSize], bias: attentionBias }),
      ...layerNormSpecs(`${block}.post_attention_layernorm`, hiddenSize),
      ...projection(`${block}.mlp.dense_h_to_4h`, { shape: [intermediateSize, hiddenSize], bias: true }),
      ...projection(`${block}.mlp.dense_4h_to_h`, { shape: [hiddenSize, intermediateSize], bias: true }),
    ]),
    ...layerNormSpecs('gpt_neox.final_layer_norm', hiddenSize),
    ...(tied ? [] : [matrix('embed_out.weight', [vocabularySize, hiddenSize])]),
  ]);
}
