import * as tf from '@tensorflow/tfjs-core';
import { rmsNorm, swiGlu } from '../../tensor/index.ts';
import type { ForwardPass, HeadPass } from '../forward-pass.ts';
import { headLogits, normHeads, projectWith } from '../modules.ts';
import { rotaryEmbedding } from '../rotary/rotary-embedding.ts';
import type { LlamaConfig } from './llama-config.ts';
import { mixtureOfExperts } from './mixture.ts';

/**
 * Llama's decoder (Touvron et al. 2023, arXiv:2302.13971): pre-norm blocks, rotary positions, shared key and value
 * heads, gated feed-forward. N tokens, C hidden size, I intermediate size, H query and K key-value heads of head_dim D;
 * returns [N, C]. Mistral (arXiv:2310.06825) attends within a sliding window, which `attend` implements; Qwen2
 * (arXiv:2407.10671) has biases on queries, keys and values; Qwen3 (arXiv:2505.09388) normalizes the heads of queries
 * and keys; Phi-3 (arXiv:2404.14219) fuses the projections of queries, keys and values, and those of the gate. Mixtral and
 * Qwen3-MoE have a mixture of experts in place of feed-forward; their routers' logits leave a layer beside its states.
 */
export function llamaHidden(config: LlamaConfig, pass: ForwardPass): tf.Tensor {
  const { hiddenSize, heads, keyValueHeads, headDim, intermediateSize, epsilon } = config;
  const { fused, bias, qkNorm, mixture } = config;
  const { ids, attend, parameter } = pass;
  const project = projectWith(pass);
  const norm = (name: string, x: tf.Tensor) => rmsNorm({ x, scale: parameter(`${name}.weight`), epsilon });
  const normIfAny = (name: string, x: tf.Tensor) =>
    qkNorm ? normHeads({ x, scale: parameter(`${name}.weight`), epsilon }) : x;
  const [querySize, keySize] = [heads * headDim, keyValueHeads * headDim];
  const rotate = rotaryEmbedding(config.rotary, { headDim, pass });
  const feedForward = (name: string, x: tf.Tensor) => {
    const parts = fused
      ? tf.split(project(`${name}.gate_up_proj`, x, bias.inner), [intermediateSize, intermediateSize], 1)
      : ['gate_proj', 'up_proj'].map((part) => project(`${name}.${part}`, x, bias.inner));
    const [gate, up] = parts as [tf.Tensor, tf.Tensor]; // [N, I] each
    return project(`${name}.down_proj`, swiGlu({ gate, up }), bias.inner); // [N, C]
  };

  let x = pass.embed('model.embed_tokens', ids); // [N, C]
  for (let layer = 0; layer < config.layers; layer++) {
    const block = `model.layers.${layer}`;
    const attention = `${block}.self_attn`;
    x = pass.layer(block, x, (x) => {
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
      const [projectedQuery, projectedKey, value] = projected as [tf.Tensor, tf.Tensor, tf.Tensor]; // [N, H D], [N, K D], [N, K D]
      const query = rotate(normIfAny(`${attention}.q_norm`, projectedQuery));
      const key = rotate(normIfAny(`${attention}.k_norm`, projectedKey));
      const attended = attend({ layer, query, key, value }); // [N, H D]
      const middle = tf.add(x, project(`${attention}.o_proj`, attended, bias.output)); // [N, C]

      const mlpInput = norm(`${block}.post_attention_layernorm`, middle);
      if (!mixture?.layers[layer]) return tf.add(middle, feedForward(`${block}.mlp`, mlpInput)); // [N, C]
      const { value: mixed, logits } = mixtureOfExperts(mixture, { layer: block, x: mlpInput, pass });
      const states = tf.add(middle, mixed);
      return pass.routed === undefined ? states : tf.concat([states, logits], 1); // [N, C] or [N, C + E]
    });
    if (pass.routed === undefined || !mixture?.layers[layer]) continue;
    const [states, logits] = tf.split(x, [hiddenSize, mixture.experts], 1) as [tf.Tensor, tf.Tensor]; // of two sizes
    pass.routed(logits);
    x = states;
  }
  return norm('model.norm', x); // [N, C]
}

/** Logits of selected hidden states: [M, C] -> [M, V]. OLMo 2 and Gemma have the same head. */
export function llamaLogits(
  { tied }: { readonly tied: boolean },
  hidden: tf.Tensor,
  pass: HeadPass,
): tf.Tensor {
  const weight = tied ? 'model.embed_tokens.weight' : 'lm_head.weight';
  return headLogits(pass, { hidden, name: 'lm_head', weight });
}
