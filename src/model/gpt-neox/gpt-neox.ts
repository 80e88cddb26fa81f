import * as tf from '@tensorflow/tfjs-core';
import { exactGelu, gelu, layerNorm } from '../../tensor/index.ts';
import type { ForwardPass, HeadPass } from '../forward-pass.ts';
import { headLogits, projectWith } from '../modules.ts';
import { rotaryEmbedding } from '../rotary/rotary-embedding.ts';
import type { GptNeoxConfig } from './gpt-neox-config.ts';

/**
 * GPT-NeoX's decoder (Black et al. 2022, arXiv:2204.06745), which Pythia (arXiv:2304.01373) has too: attention and
 * feed-forward read the same hidden states, each through its own norm, and both are added to them (a parallel residual);
 * a part of each head is rotated; one projection makes the query, key and value of a head, one head after the other. N
 * tokens, C hidden size, I intermediate size, H heads of head_dim D; returns [N, C].
 */
export function gptNeoxHidden(config: GptNeoxConfig, pass: ForwardPass): tf.Tensor {
  const { headDim, epsilon, attentionBias, parallelResidual, rotary } = config;
  const { ids, attend, parameter, drop } = pass;
  const project = projectWith(pass);
  const norm = (name: string, x: tf.Tensor) =>
    layerNorm({ x, scale: parameter(`${name}.weight`), bias: parameter(`${name}.bias`), epsilon });
  const activate = config.activation === 'gelu' ? exactGelu : gelu;
  const rotate = rotaryEmbedding(rotary, { headDim, pass });

  const embedded = pass.embed('gpt_neox.embed_in', ids); // [N, C]
  let x = drop(embedded, { place: 'embedding', name: 'gpt_neox.embed_in' });
  for (let layer = 0; layer < config.layers; layer++) {
    const block = `gpt_neox.layers.${layer}`;
    x = pass.layer(block, x, (x) => {
      const attentionInput = norm(`${block}.input_layernorm`, x);
      const qkv = project(`${block}.attention.query_key_value`, attentionInput, attentionBias); // [N, 3 C]
      const [query, key, value] = splitByHead(qkv, headDim); // [N, C] each
      const attended = attend({ layer, query: rotate(query), key: rotate(key), value }); // [N, C]
      const dense = `${block}.attention.dense`;
      const fromAttention = drop(project(dense, attended, attentionBias), { place: 'residual', name: dense });
      const afterAttention = tf.add(x, fromAttention); // [N, C]

      const mlpInput = norm(`${block}.post_attention_layernorm`, parallelResidual ? x : afterAttention);
      const inner = activate(project(`${block}.mlp.dense_h_to_4h`, mlpInput, true)); // [N, I]
      const outer = `${block}.mlp.dense_4h_to_h`;
      return tf.add(afterAttention, drop(project(outer, inner, true), { place: 'residual', name: outer })); // [N, C]
    });
  }
  return norm('gpt_neox.final_layer_norm', x); // [N, C]
}

/** [N, H 3 D] -> three of [N, H D]. */
function splitByHead(qkv: tf.Tensor, headDim: number): [tf.Tensor, tf.Tensor, tf.Tensor] {
  const [tokens = 0] = qkv.shape;
  const heads = tf.reshape(qkv, [tokens, -1, 3 * headDim]); // [N, H, 3 D]
  const parts = tf.split(heads, 3, 2) as [tf.Tensor, tf.Tensor, tf.Tensor]; // three of [N, H, D]
  return [flat(parts[0]), flat(parts[1]), flat(parts[2])];
}

const flat = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [x.shape[0] ?? 0, -1]);

/** Logits of selected hidden states: [M, C] -> [M, V]. */
export const gptNeoxLogits = ({ tied }: GptNeoxConfig, hidden: tf.Tensor, pass: HeadPass): tf.Tensor =>
  headLogits(pass, {
    hidden,
    name: 'embed_out',
    weight: tied ? 'gpt_neox.embed_in.weight' : 'embed_out.weight',
  });
