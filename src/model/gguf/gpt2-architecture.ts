import { ConfigFields } from '../config-fields.ts';
import { commonConfig, type GgufArchitecture, metadataOf } from './gguf-architecture.ts';

/** `gpt2` of llama.cpp, GPT2LMHeadModel of Hugging Face. */
export const gpt2Architecture: GgufArchitecture = {
  config(file) {
    const fields = new ConfigFields(file.path, metadataOf(file, 'gpt2'));
    const config = {
      architectures: ['GPT2LMHeadModel'],
      model_type: 'gpt2',
      n_positions: fields.count('gpt2.context_length'),
      n_embd: fields.count('gpt2.embedding_length'),
      n_inner: fields.count('gpt2.feed_forward_length'),
      n_layer: fields.count('gpt2.block_count'),
      n_head: fields.count('gpt2.attention.head_count'),
      layer_norm_epsilon: fields.positive('gpt2.attention.layer_norm_epsilon', Number.NaN),
      ...commonConfig(file),
    };
    fields.refuseOthers(['gpt2.vocab_size']);
    return config;
  },
  names: {
    layers: 'transformer.h',
    outer: new Map([
      ['transformer.wte', 'token_embd'],
      ['transformer.wpe', 'position_embd'],
      ['transformer.ln_f', 'output_norm'],
      ['lm_head', 'output'],
    ]),
    inner: new Map([
      ['ln_1', 'attn_norm'],
      ['attn.c_attn', 'attn_qkv'],
      ['attn.c_proj', 'attn_output'],
      ['ln_2', 'ffn_norm'],
      ['mlp.c_fc', 'ffn_up'],
      ['mlp.c_proj', 'ffn_down'],
    ]),
  },
  arrangement: ({ module, kind }) => (module.includes('.c_') && kind === 'weight' ? 'transposed' : 'same'),
};
