import * as tf from '@tensorflow/tfjs-core';
import { embeddingLookup, linear, rmsNorm, swiGlu } from '../../tensor/index.ts';
import type { ForwardPass, HeadPass } from '../forward-pass.ts';
import type { LlamaConfig } from './llama-config.ts';
import { rotaryEmbedding } from './rotary-embedding.ts';

/**
 * Llama's decoder (Touvron et al. 2023, arXiv:2302.13971): pre-norm blocks, rotary positions, shared key and value
 * heads, gated feed-forward. N tokens, C hidden size, I intermediate size, H query and K key-value heads of head_dim D;
 * returns [N, C]. Mistral (arXiv:2310.06825) attends within a sliding window, which `attend` implements; Qwen2
 * (arXiv:2407.10671) has biases on queries, keys and values; Phi-3 (arXiv:2404.14219) fuses these projections, and
 * those of the gate.
 */
export function llamaHidden(config: LlamaConfig, pass: ForwardPass): tf.Tensor {
  const { heads, keyValueHeads, headDim, intermediateSize, fused, bias } = config;
  const { ids, attend, parameter, adapt } = pass;
  const norm = (name: string, x: tf.Tensor) =>
    rmsNorm({ x, scale: parameter(`${name}.weight`), epsilon: config.epsilon });
  const project = (name: string, x: tf.Tensor, biased: boolean) => {
    const bias = biased ? { bias: parameter(`${name}.bias`) } : {};
    return adapt({
      name,
      x,
      y: linear({ x, weight: parameter(`${name}.weight`), transposeWeight: true, ...bias }),
    });
  };
  const [querySize, keySize] = [heads * headDim, keyValueHeads * headDim];
  const rotate = rotaryEmbedding(config, pass);

  let x = embeddingLookup({ table: parameter('model.embed_tokens.weight'), ids }); // [N, C]
  for (let layer = 0; layer < config.layers; layer++) {
    const block = `model.layers.${layer}`;
    const attention = `${block}.self_attn`;
    const attentionInput = norm(`${block}.input_layernorm`, x);
    const projected = fused
      ? tf.split(
          project(`${attention}.qkv_proj`, attentionInput, bias.inputs),
          [querySize, keySize, keySize],
          1,
        )
      : ['q_proj', 'k_proj', 'v_proj'].map((part) =>
          project(`${attention}.${part}`, attentionInput, bias.inputs),
        );
    const [query, key, value] = projected as [tf.Tensor, tf.Tensor, tf.Tensor]; // [N, H D], [N, K D], [N, K D]
    const attended = attend({ layer, query: rotate(query), key: rotate(key), value }); // [N, H D]
    x = tf.add(x, project(`${attention}.o_proj`, attended, bias.output)); // [N, C]

    const mlp = `${block}.mlp`;
    const mlpInput = norm(`${block}.post_attention_layernorm`, x);
    const parts = fused
      ? tf.split(
          project(`${mlp}.gate_up_proj`, mlpInput, bias.inner),
          [intermediateSize, intermediateSize],
          1,
        )
      : ['gate_proj', 'up_proj'].map((part) => project(`${mlp}.${part}`, mlpInput, bias.inner));
    const [gate, up] = parts as [tf.Tensor, tf.Tensor]; // [N, I] each
    x = tf.add(x, project(`${mlp}.down_proj`, swiGlu({ gate, up }), bias.inner)); // [N, C]
  }
  return norm('model.norm', x); // [N, C]
}

/** Logits of selected hidden states: [M, C] -> [M, V]. */
export function llamaLogits(
  { tied }: LlamaConfig,
  hidden: tf.Tensor,
  { parameter, adapt }: HeadPass,
): tf.Tensor {
  const weight = parameter(tied ? 'model.embed_tokens.weight' : 'lm_head.weight'); // [V, C]
  return adapt({ name: 'lm_head', x: hidden, y: linear({ x: hidden, weight, transposeWeight: true }) }); // [M, V]
}
