import * as tf from '@tensorflow/tfjs-core';
import { embeddingLookup, linear, rmsNorm } from '../../tensor/index.ts';
import type { ForwardPass, HeadPass } from '../forward-pass.ts';
import type { LlamaConfig } from './llama-config.ts';
import { rotaryEmbedding } from './rotary-embedding.ts';

/**
 * Llama's decoder (Touvron et al. 2023, arXiv:2302.13971): pre-norm blocks, rotary positions, shared key and value heads,
 * gated feed-forward. N tokens, C width, I inner width, H heads and K key heads of extent D; returns [N, C].
 */
export function llamaHidden(config: LlamaConfig, pass: ForwardPass): tf.Tensor {
  const { ids, positions, attend, parameter, adapt } = pass;
  const norm = (name: string, x: tf.Tensor) =>
    rmsNorm({ x, scale: parameter(`${name}.weight`), epsilon: config.epsilon });
  const project = (name: string, x: tf.Tensor) =>
    adapt({ name, x, y: linear({ x, weight: parameter(`${name}.weight`), transposeWeight: true }) });
  const rotate = rotaryEmbedding(config, positions);

  let x = embeddingLookup({ table: parameter('model.embed_tokens.weight'), ids }); // [N, C]
  for (let layer = 0; layer < config.layers; layer++) {
    const block = `model.layers.${layer}`;
    const normed = norm(`${block}.input_layernorm`, x);
    const query = rotate(project(`${block}.self_attn.q_proj`, normed)); // [N, H D]
    const key = rotate(project(`${block}.self_attn.k_proj`, normed)); // [N, K D]
    const value = project(`${block}.self_attn.v_proj`, normed); // [N, K D]
    const attended = attend({ layer, query, key, value }); // [N, H D]
    x = tf.add(x, project(`${block}.self_attn.o_proj`, attended)); // [N, C]

    const wide = norm(`${block}.post_attention_layernorm`, x);
    const gate = silu(project(`${block}.mlp.gate_proj`, wide)); // [N, I]
    const inner = tf.mul(gate, project(`${block}.mlp.up_proj`, wide)); // [N, I]
    x = tf.add(x, project(`${block}.mlp.down_proj`, inner)); // [N, C]
  }
  return norm('model.norm', x); // [N, C]
}

/** Logits of chosen hidden states: [M, C] -> [M, V]. */
export function llamaLogits(
  { tied }: LlamaConfig,
  hidden: tf.Tensor,
  { parameter, adapt }: HeadPass,
): tf.Tensor {
  const weight = parameter(tied ? 'model.embed_tokens.weight' : 'lm_head.weight'); // [V, C]
  return adapt({ name: 'lm_head', x: hidden, y: linear({ x: hidden, weight, transposeWeight: true }) }); // [M, V]
}

const silu = (x: tf.Tensor): tf.Tensor => tf.mul(x, tf.sigmoid(x));
