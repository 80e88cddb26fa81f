import type { Json } from '../../core/index.ts';
import { ConfigFields } from '../config-fields.ts';
import {
  commonConfig,
  type GgufArchitecture,
  type GgufDescription,
  metadataOf,
} from './gguf-architecture.ts';
import { ropeScaling } from './rope-scaling.ts';

/** `gptneox` in llama.cpp, GPTNeoXForCausalLM in Hugging Face. */
export const gptNeoxArchitecture: GgufArchitecture = {
  names: {
    layers: 'gpt_neox.layers',
    outer: new Map([
      ['gpt_neox.embed_in', 'token_embd'],
      ['gpt_neox.final_layer_norm', 'output_norm'],
      ['embed_out', 'output'],
    ]),
    inner: new Map([
      ['input_layernorm', 'attn_norm'],
      ['attention.query_key_value', 'attn_qkv'],
      ['attention.dense', 'attn_output'],
      ['post_attention_layernorm', 'ffn_norm'],
      ['mlp.dense_h_to_4h', 'ffn_up'],
      ['mlp.dense_4h_to_h', 'ffn_down'],
    ]),
  },
  permutation: ({ module }, { heads }) =>
    module === 'attention.query_key_value' ? { joinedHeads: heads } : 'none',
  config: (file) =>
    parallelConfig(file, 'gptneox', (fields, { base, rotaryDim, headDim }) => ({
      architectures: ['GPTNeoXForCausalLM'],
      model_type: 'gpt_neox',
      // The file does not say which; Pythia has GELU itself.
      hidden_act: 'gelu',
      rotary_pct: rotaryDim / headDim,
      rotary_emb_base: base,
      use_parallel_residual: fields.flag('gptneox.use_parallel_residual', true),
      attention_bias: file.tensors.has('blk.0.attn_qkv.bias'),
    })),
};

/** `phi2` in llama.cpp, PhiForCausalLM in Hugging Face: Phi-1, Phi-1.5 and Phi-2. */
export const phiArchitecture: GgufArchitecture = {
  names: {
    layers: 'model.layers',
    outer: new Map([
      ['model.embed_tokens', 'token_embd'],
      ['model.final_layernorm', 'output_norm'],
      ['lm_head', 'output'],
    ]),
    inner: new Map([
      ['input_layernorm', 'attn_norm'],
      ['self_attn.q_proj', 'attn_q'],
      ['self_attn.k_proj', 'attn_k'],
      ['self_attn.v_proj', 'attn_v'],
      ['self_attn.dense', 'attn_output'],
      ['mlp.fc1', 'ffn_up'],
      ['mlp.fc2', 'ffn_down'],
    ]),
  },
  permutation: () => 'none',
  config: (file) =>
    parallelConfig(file, 'phi2', (fields, { heads, headDim, base, rotaryDim }) => ({
      architectures: ['PhiForCausalLM'],
      model_type: 'phi',
      hidden_act: 'gelu_new',
      num_key_value_heads: fields.optionalCount('phi2.attention.head_count_kv') ?? heads,
      partial_rotary_factor: rotaryDim / headDim,
      rope_theta: base,
    })),
};

/** The config.json of a family with layer norms and a parallel residual; `own` has the fields that only one has. */
function parallelConfig(
  file: GgufDescription,
  type: 'gptneox' | 'phi2',
  own: (
    fields: ConfigFields,
    sizes: Readonly<Record<'heads' | 'headDim' | 'base' | 'rotaryDim', number>>,
  ) => Readonly<Record<string, Json>>,
) {
  const fields = new ConfigFields(file.path, metadataOf(file, type));
  const hiddenSize = fields.count(`${type}.embedding_length`);
  const heads = fields.count(`${type}.attention.head_count`);
  const headDim = hiddenSize / heads;
  const contextLength = fields.count(`${type}.context_length`);
  const base = fields.positive(`${type}.rope.freq_base`, 10_000);
  const rotaryDim = fields.count(`${type}.rope.dimension_count`);
  const rope = { factors: file.rotaryFactors, contextLength, base, rotaryDim };
  const config = {
    max_position_embeddings: contextLength,
    hidden_size: hiddenSize,
    intermediate_size: fields.count(`${type}.feed_forward_length`),
    num_hidden_layers: fields.count(`${type}.block_count`),
    num_attention_heads: heads,
    layer_norm_eps: fields.positive(`${type}.attention.layer_norm_epsilon`, Number.NaN),
    ...ropeScaling(fields, { architecture: type, ...rope }),
    ...own(fields, { heads, headDim, base, rotaryDim }),
    ...commonConfig(file),
  };
  fields.refuseOthers([`${type}.vocab_size`]);
  return config;
}
