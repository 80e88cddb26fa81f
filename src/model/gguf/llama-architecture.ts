import { ConfigFields } from '../config-fields.ts';
import {
  endTokens,
  type GgufArchitecture,
  isTied,
  metadataOf,
  vocabularySizeOf,
} from './gguf-architecture.ts';

/** Parameters outside of the layers, by Hugging Face's name. */
const outer = new Map([
  ['model.embed_tokens.weight', 'token_embd.weight'],
  ['model.norm.weight', 'output_norm.weight'],
  ['lm_head.weight', 'output.weight'],
]);

/** Parts of a layer, by Hugging Face's name. */
const inner = new Map([
  ['input_layernorm', 'attn_norm'],
  ['self_attn.q_proj', 'attn_q'],
  ['self_attn.k_proj', 'attn_k'],
  ['self_attn.v_proj', 'attn_v'],
  ['self_attn.o_proj', 'attn_output'],
  ['post_attention_layernorm', 'ffn_norm'],
  ['mlp.gate_proj', 'ffn_gate'],
  ['mlp.up_proj', 'ffn_up'],
  ['mlp.down_proj', 'ffn_down'],
]);

/** `llama` of llama.cpp, LlamaForCausalLM of Hugging Face. */
export const llamaArchitecture: GgufArchitecture = {
  config(file) {
    const fields = new ConfigFields(file.path, metadataOf(file, 'llama'));
    const width = fields.count('llama.embedding_length');
    const heads = fields.count('llama.attention.head_count');
    const headWidth = fields.optionalCount('llama.attention.key_length') ?? width / heads;
    fields.oneOf('llama.attention.value_length', [headWidth]);
    fields.oneOf('llama.rope.dimension_count', [headWidth]);
    fields.oneOf('llama.rope.scaling.type', ['none']);
    fields.oneOf('llama.expert_count', [0]);
    fields.oneOf('llama.expert_used_count', [0]);
    const config = {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      vocab_size: vocabularySizeOf(file),
      max_position_embeddings: fields.count('llama.context_length'),
      hidden_size: width,
      intermediate_size: fields.count('llama.feed_forward_length'),
      num_hidden_layers: fields.count('llama.block_count'),
      num_attention_heads: heads,
      num_key_value_heads: fields.optionalCount('llama.attention.head_count_kv') ?? heads,
      head_dim: headWidth,
      hidden_act: 'silu',
      rms_norm_eps: fields.positive('llama.attention.layer_norm_rms_epsilon', Number.NaN),
      rope_theta: fields.positive('llama.rope.freq_base', 10_000),
      tie_word_embeddings: isTied(file),
      torch_dtype: 'float32',
      ...endTokens(file),
    };
    fields.refuseOthers(['llama.vocab_size']);
    return config;
  },
  stored(parameter, { heads, keyValueHeads }) {
    const [, layer, part = ''] = /^model\.layers\.(\d+)\.(.+)\.weight$/.exec(parameter) ?? [];
    const name = layer === undefined ? outer.get(parameter) : `blk.${layer}.${inner.get(part)}.weight`;
    if (name === undefined) throw new Error(`No tensor is known for ${parameter}`);
    if (part === 'self_attn.q_proj') return { name, arrangement: { pairedHeads: heads } };
    if (part === 'self_attn.k_proj') return { name, arrangement: { pairedHeads: keyValueHeads } };
    return { name, arrangement: 'same' };
  },
};
