import * as tf from '@tensorflow/tfjs-core';
import { gelu, layerNorm, linear } from '../../tensor/index.ts';
import type { ForwardPass, HeadPass } from '../forward-pass.ts';
import { headLogits } from '../modules.ts';
import type { Gpt2Config } from './gpt2-config.ts';

/**
 * GPT-2's decoder (Radford et al. 2019): pre-norm blocks, learned positions, GELU in its tanh form. N tokens, C hidden
 * size, I intermediate size, V vocabulary size. Returns the hidden states after the last norm, [N, C].
 */
export function gpt2Hidden({ layers, epsilon }: Gpt2Config, pass: ForwardPass): tf.Tensor {
  const { ids, embed, attend, parameter, adapt, drop } = pass;
  const positions = tf.tensor1d(pass.positions, 'int32');
  const norm = (name: string, x: tf.Tensor) =>
    layerNorm({ x, scale: parameter(`${name}.weight`), bias: parameter(`${name}.bias`), epsilon });
  const project = (name: string, x: tf.Tensor) =>
    adapt({
      name,
      x,
      y: linear({ x, weight: parameter(`${name}.weight`), bias: parameter(`${name}.bias`) }),
    });
  const residual = (name: string, x: tf.Tensor) => drop(project(name, x), { place: 'residual', name });

  const embedded = tf.add(embed('transformer.wte', ids), embed('transformer.wpe', positions)); // [N, C]
  let x = drop(embedded, { place: 'embedding', name: 'transformer.wte' });
  for (let layer = 0; layer < layers; layer++) {
    const block = `transformer.h.${layer}`;
    x = pass.layer(block, x, (x) => {
      const qkv = project(`${block}.attn.c_attn`, norm(`${block}.ln_1`, x)); // [N, 3C]
      const [query, key, value] = tf.split(qkv, 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor]; // split into three
      const attended = attend({ layer, query, key, value }); // [N, C]
      const middle = tf.add(x, residual(`${block}.attn.c_proj`, attended)); // [N, C]

      const inner = gelu(project(`${block}.mlp.c_fc`, norm(`${block}.ln_2`, middle))); // [N, I]
      return tf.add(middle, residual(`${block}.mlp.c_proj`, inner)); // [N, C]
    });
  }
  return norm('transformer.ln_f', x); // [N, C]
}

/** Logits of selected hidden states: [M, C] -> [M, V]. The head has no bias and may be the token embedding itself. */
export function gpt2Logits({ tied }: Gpt2Config, hidden: tf.Tensor, pass: HeadPass): tf.Tensor {
  const weight = tied ? 'transformer.wte.weight' : 'lm_head.weight';
  return headLogits(pass, { hidden, name: 'lm_head', weight });
}
