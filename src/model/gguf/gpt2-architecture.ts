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
  ['transformer.wte', 'token_embd'],
  ['transformer.wpe', 'position_embd'],
  ['transformer.ln_f', 'output_norm'],
  ['lm_head', 'output'],
]);

/** Parts of a layer, by Hugging Face's name. */
const inner = new Map([
  ['ln_1', 'attn_norm'],
  ['attn.c_attn', 'attn_qkv'],
  ['attn.c_proj', 'attn_output'],
  ['ln_2', 'ffn_norm'],
  ['mlp.c_fc', 'ffn_up'],
  ['mlp.c_proj', 'ffn_down'],
]);

/** `gpt2` of llama.cpp, GPT2LMHeadModel of Hugging Face. */
export const gpt2Architecture: GgufArchitecture = {
  config(file) {
    const fields = new ConfigFields(file.path, metadataOf(file, 'gpt2'));
    const config = {
      architectures: ['GPT2LMHeadModel'],
      model_type: 'gpt2',
      vocab_size: vocabularySizeOf(file),
      n_positions: fields.count('gpt2.context_length'),
      n_embd: fields.count('gpt2.embedding_length'),
      n_inner: fields.count('gpt2.feed_forward_length'),
      n_layer: fields.count('gpt2.block_count'),
      n_head: fields.count('gpt2.attention.head_count'),
      layer_norm_epsilon: fields.positive('gpt2.attention.layer_norm_epsilon', Number.NaN),
      tie_word_embeddings: isTied(file),
      torch_dtype: 'float32',
      ...endTokens(file),
    };
    fields.refuseOthers(['gpt2.vocab_size']);
    return config;
  },
  stored(parameter) {
    const [, whole = '', kind = ''] = /^(.+)\.(weight|bias)$/.exec(parameter) ?? [];
    const [, layer, part = ''] = /^transformer\.h\.(\d+)\.(.+)$/.exec(whole) ?? [];
    const name = layer === undefined ? outer.get(whole) : `blk.${layer}.${inner.get(part)}`;
    if (name === undefined) throw new Error(`No tensor is known for ${parameter}`);
    const isTransposed = part.includes('.c_') && kind === 'weight';
    return { name: `${name}.${kind}`, arrangement: isTransposed ? 'transposed' : 'same' };
  },
};
