import { ConfigFields } from '../config-fields.ts';
import { llamaNames } from './architectures.ts';
import { commonConfig, type GgufArchitecture, metadataOf } from './gguf-architecture.ts';
import { ropeScaling } from './rope-scaling.ts';

/** What llama.cpp assumes of each, since the file does not say it. */
const assumed = {
  gemma2: { modelType: 'gemma2', architecture: 'Gemma2ForCausalLM', theta: 10_000, largest: 46 },
  gemma3: { modelType: 'gemma3_text', architecture: 'Gemma3ForCausalLM', theta: 1_000_000, largest: 62 },
} as const;

/** Gemma 2 and the text models of Gemma 3. */
export function gemmaArchitecture(type: 'gemma2' | 'gemma3'): GgufArchitecture {
  const { modelType, architecture, theta, largest } = assumed[type];
  return {
    names: {
      ...llamaNames,
      inner: new Map([
        ...llamaNames.inner,
        ['post_attention_layernorm', 'post_attention_norm'],
        ['pre_feedforward_layernorm', 'ffn_norm'],
        ['post_feedforward_layernorm', 'post_ffw_norm'],
      ]),
    },
    permutation: ({ module }) => (module.endsWith('norm') ? 'one more' : 'none'),
    config(file) {
      const fields = new ConfigFields(file.path, metadataOf(file, type));
      const hiddenSize = fields.count(`${type}.embedding_length`);
      const heads = fields.count(`${type}.attention.head_count`);
      const layers = fields.count(`${type}.block_count`);
      const headDim = fields.optionalCount(`${type}.attention.key_length`) ?? 256;
      fields.oneOf(`${type}.attention.value_length`, [headDim]);
      fields.oneOf(`${type}.rope.dimension_count`, [headDim]);
      fields.oneOf(`${type}.rope.freq_base_swa`, [10_000]);
      fields.oneOf(`${type}.attention.sliding_window_pattern`, [type === 'gemma2' ? 2 : 6]);
      const contextLength = fields.count(`${type}.context_length`);
      const base = fields.positive(`${type}.rope.freq_base`, theta);
      const rope = { factors: file.rotaryFactors, contextLength, base, rotaryDim: headDim };
      const config = {
        architectures: [architecture],
        model_type: modelType,
        max_position_embeddings: contextLength,
        hidden_size: hiddenSize,
        intermediate_size: fields.count(`${type}.feed_forward_length`),
        num_hidden_layers: layers,
        num_attention_heads: heads,
        num_key_value_heads: fields.optionalCount(`${type}.attention.head_count_kv`) ?? heads,
        head_dim: headDim,
        // The models of 27 billion parameters, which llama.cpp knows by their layers, have another one.
        query_pre_attn_scalar: layers === largest ? hiddenSize / heads : headDim,
        hidden_activation: 'gelu_pytorch_tanh',
        rms_norm_eps: fields.positive(`${type}.attention.layer_norm_rms_epsilon`, Number.NaN),
        rope_theta: base,
        sliding_window: fields.count(`${type}.attention.sliding_window`),
        ...ropeScaling(fields, { architecture: type, ...rope }),
        ...caps(fields, type),
        ...commonConfig(file),
      };
      fields.refuseOthers([`${type}.vocab_size`]);
      return config;
    },
  };
}

function caps(fields: ConfigFields, type: string) {
  const [attention, logits] = [`${type}.attn_logit_softcapping`, `${type}.final_logit_softcapping`];
  return {
    attn_logit_softcapping: fields.optionalPositive(attention) ?? null,
    final_logit_softcapping: fields.optionalPositive(logits) ?? null,
  };
}
