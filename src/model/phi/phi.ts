import * as tf from '@tensorflow/tfjs-core';
import { gelu, layerNorm } from '../../tensor/index.ts';
import type { ForwardPass, HeadPass } from '../forward-pass.ts';
import { headLogits, projectWith } from '../modules.ts';
import { rotaryEmbedding } from '../rotary/rotary-embedding.ts';
import type { PhiConfig } from './phi-config.ts';

/**
 * The decoder of Phi-1, Phi-1.5 (Li et al. 2023, arXiv:2309.05463) and Phi-2: attention and feed-forward read the same
 * norm of the hidden states, and both are added to them (a parallel residual); a part of each head is rotated; every
 * projection has a bias, the head too. N tokens, C hidden size, I intermediate size, H query and K key-value heads of
 * head_dim D; returns [N, C].
 */
export function phiHidden(config: PhiConfig, pass: ForwardPass): tf.Tensor {
  const { headDim, epsilon, rotary } = config;
  const { ids, attend, parameter, drop } = pass;
  const projectWithBias = projectWith(pass);
  const project = (name: string, x: tf.Tensor) => projectWithBias(name, x, true);
  const residual = (name: string, x: tf.Tensor) => drop(project(name, x), { place: 'residual', name });
  const norm = (name: string, x: tf.Tensor) =>
    layerNorm({ x, scale: parameter(`${name}.weight`), bias: parameter(`${name}.bias`), epsilon });
  const rotate = rotaryEmbedding(rotary, { headDim, pass });

  const embedded = pass.embed('model.embed_tokens', ids); // [N, C]
  let x = drop(embedded, { place: 'embedding', name: 'model.embed_tokens' });
  for (let layer = 0; layer < config.layers; layer++) {
    const block = `model.layers.${layer}`;
    x = pass.layer(block, x, (x) => {
      const input = norm(`${block}.input_layernorm`, x); // [N, C]
      const query = rotate(project(`${block}.self_attn.q_proj`, input)); // [N, H D]
      const key = rotate(project(`${block}.self_attn.k_proj`, input)); // [N, K D]
      const value = project(`${block}.self_attn.v_proj`, input); // [N, K D]
      const fromAttention = residual(`${block}.self_attn.dense`, attend({ layer, query, key, value })); // [N, C]
      const inner = gelu(project(`${block}.mlp.fc1`, input)); // [N, I]
      const fromMlp = residual(`${block}.mlp.fc2`, inner); // [N, C]
      return tf.add(tf.add(fromAttention, fromMlp), x);
    });
  }
  return norm('model.final_layernorm', x); // [N, C]
}

/** Logits of selected hidden states: [M, C] -> [M, V]. */
export const phiLogits = ({ tied }: PhiConfig, hidden: tf.Tensor, pass: HeadPass): tf.Tensor =>
  headLogits(pass, {
    hidden,
    name: 'lm_head',
    weight: tied ? 'model.embed_tokens.weight' : 'lm_head.weight',
    bias: 'lm_head.bias',
  });
