import * as tf from '@tensorflow/tfjs-core';
import { gelu, rmsNorm, softCap } from '../../tensor/index.ts';
import type { ForwardPass, HeadPass } from '../forward-pass.ts';
import { llamaLogits } from '../llama/llama.ts';
import { normHeads, projectWith } from '../modules.ts';
import { rotaryEmbedding } from '../rotary/rotary-embedding.ts';
import type { GemmaConfig } from './gemma-config.ts';

/**
 * The decoder of Gemma 2 (arXiv:2408.00118) and Gemma 3 (arXiv:2503.19786). The embedding is scaled; a norm's scale is 1 +
 * its weight; norms come before and after attention and feed-forward, whose gate is a GELU. Some layers are local: their
 * attention has a sliding window. Gemma 2 caps attention scores and logits, the former in `attend`; Gemma 3 normalizes
 * the heads of queries and keys instead, and its local layers rotate by another base. N tokens, C hidden size, I
 * intermediate size, H query and K key-value heads of head_dim D; returns [N, C].
 */
export function gemmaHidden(config: GemmaConfig, pass: ForwardPass): tf.Tensor {
  const { headDim, hiddenSize, epsilon, attentionBias, qkNorm, queryScale, windows } = config;
  const { ids, attend, parameter } = pass;
  const project = projectWith(pass);
  const scaleOf = (name: string) => tf.add(parameter(`${name}.weight`), 1);
  const norm = (name: string, x: tf.Tensor) => rmsNorm({ x, scale: scaleOf(name), epsilon });
  const normIfAny = (name: string, x: tf.Tensor) =>
    qkNorm ? normHeads({ x, scale: scaleOf(name), epsilon }) : x;
  const rotateGlobally = rotaryEmbedding(config.rotary, { headDim, pass });
  const rotateLocally = rotaryEmbedding(config.localRotary, { headDim, pass });

  const embedded = pass.embed('model.embed_tokens', ids);
  let x = tf.mul(embedded, Math.sqrt(hiddenSize)); // [N, C]
  for (let layer = 0; layer < config.layers; layer++) {
    const block = `model.layers.${layer}`;
    const attention = `${block}.self_attn`;
    const rotate = windows[layer] === undefined ? rotateGlobally : rotateLocally;
    x = pass.layer(block, x, (x) => {
      const input = norm(`${block}.input_layernorm`, x);
      const query = normIfAny(`${attention}.q_norm`, project(`${attention}.q_proj`, input, attentionBias)); // [N, H D]
      const key = normIfAny(`${attention}.k_norm`, project(`${attention}.k_proj`, input, attentionBias)); // [N, K D]
      const value = project(`${attention}.v_proj`, input, attentionBias); // [N, K D]
      const scaledQuery = queryScale === 1 ? rotate(query) : tf.mul(rotate(query), queryScale);
      const attended = attend({ layer, query: scaledQuery, key: rotate(key), value }); // [N, H D]
      const fromAttention = project(`${attention}.o_proj`, attended, attentionBias); // [N, C]
      const middle = tf.add(x, norm(`${block}.post_attention_layernorm`, fromAttention));

      const mlp = `${block}.mlp`;
      const mlpInput = norm(`${block}.pre_feedforward_layernorm`, middle);
      const gate = gelu(project(`${mlp}.gate_proj`, mlpInput, false)); // [N, I]
      const up = project(`${mlp}.up_proj`, mlpInput, false); // [N, I]
      const fromMlp = project(`${mlp}.down_proj`, tf.mul(gate, up), false); // [N, C]
      return tf.add(middle, norm(`${block}.post_feedforward_layernorm`, fromMlp));
    });
  }
  return norm('model.norm', x); // [N, C]
}

/** Logits of selected hidden states, within the cap if there is one: [M, C] -> [M, V]. */
export function gemmaLogits(config: GemmaConfig, hidden: tf.Tensor, pass: HeadPass): tf.Tensor {
  const logits = llamaLogits(config, hidden, pass);
  return config.logitCap === undefined ? logits : softCap({ x: logits, cap: config.logitCap });
}
