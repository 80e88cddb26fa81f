import type { JsonObject } from '../../core/index.ts';
import { ConfigFields } from '../config-fields.ts';
import {
  commonConfig,
  type GgufArchitecture,
  type GgufDescription,
  type GgufNames,
  metadataOf,
} from './gguf-architecture.ts';
import { ropeScaling } from './rope-scaling.ts';

/**
 * The modules of Llama and the models built like it; Phi-3 fuses some of them, Qwen3 has norms of heads, Mixtral and
 * Qwen3-MoE have experts.
 */
export const llamaNames: GgufNames = {
  layers: 'model.layers',
  outer: new Map([
    ['model.embed_tokens', 'token_embd'],
    ['model.norm', 'output_norm'],
    ['lm_head', 'output'],
  ]),
  inner: new Map([
    ['input_layernorm', 'attn_norm'],
    ['self_attn.q_proj', 'attn_q'],
    ['self_attn.k_proj', 'attn_k'],
    ['self_attn.v_proj', 'attn_v'],
    ['self_attn.q_norm', 'attn_q_norm'],
    ['self_attn.k_norm', 'attn_k_norm'],
    ['self_attn.qkv_proj', 'attn_qkv'],
    ['self_attn.o_proj', 'attn_output'],
    ['post_attention_layernorm', 'ffn_norm'],
    ['mlp.gate_proj', 'ffn_gate'],
    ['mlp.up_proj', 'ffn_up'],
    ['mlp.gate_up_proj', 'ffn_up'],
    ['mlp.down_proj', 'ffn_down'],
    ['mlp.gate', 'ffn_gate_inp'],
    ['mlp.experts.gate_proj', 'ffn_gate_exps'],
    ['mlp.experts.up_proj', 'ffn_up_exps'],
    ['mlp.experts.down_proj', 'ffn_down_exps'],
    ['block_sparse_moe.gate', 'ffn_gate_inp'],
    ['block_sparse_moe.experts.w1', 'ffn_gate_exps'],
    ['block_sparse_moe.experts.w3', 'ffn_up_exps'],
    ['block_sparse_moe.experts.w2', 'ffn_down_exps'],
  ]),
};

/** How one of them differs in llama.cpp's metadata, in names and in the order of rotary dimensions. */
interface Dialect {
  readonly architecture: string;
  /** Other names within a layer. */
  readonly inner?: ReadonlyMap<string, string>;
  /** The fields of config.json that only this one has. */
  readonly own: (fields: ConfigFields, sizes: { readonly headDim: number }) => JsonObject;
  readonly permutation: GgufArchitecture['permutation'];
}

/** Mixtral is a Llama with experts there. */
const mixtral = { architectures: ['MixtralForCausalLM'], model_type: 'mixtral', sliding_window: null };

type LlamaDialect = 'llama' | 'qwen2' | 'qwen3' | 'qwen3moe' | 'phi3' | 'olmo2';

const dialects: Readonly<Record<LlamaDialect, Dialect>> = {
  llama: {
    architecture: 'LlamaForCausalLM',
    own(fields, { headDim }) {
      fields.oneOf('llama.rope.dimension_count', [headDim]);
      const experts = fields.countOrZero('llama.expert_count');
      const chosen = fields.countOrZero('llama.expert_used_count');
      return {
        head_dim: headDim,
        ...(experts > 0 && { ...mixtral, num_local_experts: experts, num_experts_per_tok: chosen }),
      };
    },
    permutation({ module }, { heads, keyValueHeads }) {
      if (module === 'self_attn.q_proj') return { pairedHeads: heads };
      return module === 'self_attn.k_proj' ? { pairedHeads: keyValueHeads } : 'none';
    },
  },
  qwen2: {
    architecture: 'Qwen2ForCausalLM',
    own(fields, { headDim }) {
      fields.oneOf('qwen2.rope.dimension_count', [headDim]);
      return {};
    },
    permutation: () => 'none',
  },
  qwen3: {
    architecture: 'Qwen3ForCausalLM',
    own(fields, { headDim }) {
      fields.oneOf('qwen3.rope.dimension_count', [headDim]);
      return { head_dim: headDim };
    },
    permutation: () => 'none',
  },
  qwen3moe: {
    architecture: 'Qwen3MoeForCausalLM',
    own(fields, { headDim }) {
      fields.oneOf('qwen3moe.rope.dimension_count', [headDim]);
      return {
        model_type: 'qwen3_moe',
        head_dim: headDim,
        num_experts: fields.count('qwen3moe.expert_count'),
        num_experts_per_tok: fields.count('qwen3moe.expert_used_count'),
        moe_intermediate_size: fields.count('qwen3moe.expert_feed_forward_length'),
        // llama.cpp assumes it, and experts in every layer.
        norm_topk_prob: true,
      };
    },
    permutation: () => 'none',
  },
  olmo2: {
    architecture: 'Olmo2ForCausalLM',
    inner: new Map([
      ['post_attention_layernorm', 'post_attention_norm'],
      ['post_feedforward_layernorm', 'post_ffw_norm'],
    ]),
    own(fields, { headDim }) {
      fields.oneOf('olmo2.rope.dimension_count', [headDim]);
      return { head_dim: headDim };
    },
    permutation: () => 'none',
  },
  phi3: {
    architecture: 'Phi3ForCausalLM',
    own(fields, { headDim }) {
      const rotated = fields.optionalCount('phi3.rope.dimension_count') ?? headDim;
      const window = 'phi3.attention.sliding_window';
      const original = fields.optionalCount('phi3.rope.scaling.original_context_length');
      return {
        ...(rotated === headDim ? {} : { partial_rotary_factor: rotated / headDim }),
        ...(original === undefined ? {} : { original_max_position_embeddings: original }),
        // llama.cpp writes 0 for no window.
        sliding_window: fields.countOrZero(window) || null,
      };
    },
    permutation: () => 'none',
  },
};

/** Only a model with biases has the fields. */
const biasesIn = ({ tensors }: GgufDescription): JsonObject => ({
  ...(tensors.has('blk.0.attn_q.bias') && { attention_bias: true }),
  ...(tensors.has('blk.0.ffn_gate.bias') && { mlp_bias: true }),
});

/** llama.cpp and Hugging Face use the same name for the `type`. */
export function llamaArchitecture(type: LlamaDialect): GgufArchitecture {
  const { architecture, own, permutation, inner = [] } = dialects[type];
  return {
    names: { ...llamaNames, inner: new Map([...llamaNames.inner, ...inner]) },
    permutation,
    config(file) {
      const fields = new ConfigFields(file.path, metadataOf(file, type));
      const hiddenSize = fields.count(`${type}.embedding_length`);
      const heads = fields.count(`${type}.attention.head_count`);
      const headDim = fields.optionalCount(`${type}.attention.key_length`) ?? hiddenSize / heads;
      fields.oneOf(`${type}.attention.value_length`, [headDim]);
      const contextLength = fields.count(`${type}.context_length`);
      const base = fields.positive(`${type}.rope.freq_base`, 10_000);
      const rotaryDim = fields.optionalCount(`${type}.rope.dimension_count`) ?? headDim;
      const { rotaryFactors: factors } = file;
      const config = {
        architectures: [architecture],
        model_type: type,
        max_position_embeddings: contextLength,
        hidden_size: hiddenSize,
        intermediate_size: fields.count(`${type}.feed_forward_length`),
        num_hidden_layers: fields.count(`${type}.block_count`),
        num_attention_heads: heads,
        num_key_value_heads: fields.optionalCount(`${type}.attention.head_count_kv`) ?? heads,
        hidden_act: 'silu',
        rms_norm_eps: fields.positive(`${type}.attention.layer_norm_rms_epsilon`, Number.NaN),
        rope_theta: base,
        ...own(fields, { headDim }),
        ...ropeScaling(fields, { architecture: type, factors, contextLength, base, rotaryDim }),
        ...(type === 'llama' && biasesIn(file)),
        ...commonConfig(file),
      };
      fields.refuseOthers([`${type}.vocab_size`]);
      return config;
    },
  };
}

/** `gpt2` in llama.cpp, GPT2LMHeadModel in Hugging Face. */
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
  permutation: ({ module, kind }) => (module.includes('.c_') && kind === 'weight' ? 'transposed' : 'none'),
};
