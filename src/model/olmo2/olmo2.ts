import * as tf from '@tensorflow/tfjs-core';
import { rmsNorm, swiGlu } from '../../tensor/index.ts';
import type { ForwardPass } from '../forward-pass.ts';
import { projectWith } from '../modules.ts';
import { rotaryEmbedding } from '../rotary/rotary-embedding.ts';
import type { Olmo2Config } from './olmo2-config.ts';

/**
 * OLMo 2's decoder (OLMo et al. 2025, arXiv:2501.00656): Llama's, but the norms come after attention and feed-forward
 * instead of before, and all queries of a token are normalized together before they are rotated, and so are all keys.
 * N tokens, C hidden size, I intermediate size, H query and K key-value heads of head_dim D; returns [N, C].
 */
export function olmo2Hidden(config: Olmo2Config, pass: ForwardPass): tf.Tensor {
  const { headDim, epsilon, attentionBias, rotary } = config;
  const { ids, attend, parameter } = pass;
  const project = projectWith(pass);
  const norm = (name: string, x: tf.Tensor) => rmsNorm({ x, scale: parameter(`${name}.weight`), epsilon });
  const rotate = rotaryEmbedding(rotary, { headDim, pass });

  let x = pass.embed('model.embed_tokens', ids); // [N, C]
  for (let layer = 0; layer < config.layers; layer++) {
    const block = `model.layers.${layer}`;
    const attention = `${block}.self_attn`;
    x = pass.layer(block, x, (x) => {
      const query = norm(`${attention}.q_norm`, project(`${attention}.q_proj`, x, attentionBias)); // [N, H D]
      const key = norm(`${attention}.k_norm`, project(`${attention}.k_proj`, x, attentionBias)); // [N, K D]
      const value = project(`${attention}.v_proj`, x, attentionBias); // [N, K D]
      const attended = attend({ layer, query: rotate(query), key: rotate(key), value }); // [N, H D]
      const fromAttention = project(`${attention}.o_proj`, attended, attentionBias); // [N, C]
      const middle = tf.add(x, norm(`${block}.post_attention_layernorm`, fromAttention));

      const mlp = `${block}.mlp`;
      const gate = project(`${mlp}.gate_proj`, middle, false); // [N, I]
      const up = project(`${mlp}.up_proj`, middle, false); // [N, I]
      const fromMlp = project(`${mlp}.down_proj`, swiGlu({ gate, up }), false); // [N, C]
      return tf.add(middle, norm(`${block}.post_feedforward_layernorm`, fromMlp));
    });
  }
  return norm('model.norm', x); // [N, C]
}
