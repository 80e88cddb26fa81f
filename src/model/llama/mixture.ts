import * as tf from '@tensorflow/tfjs-core';
import { chosenOnly, swiGlu } from '../../tensor/index.ts';
import type { ForwardPass } from '../forward-pass.ts';
import { projectWith } from '../modules.ts';
import type { Mixture } from './mixture-config.ts';

/**
 * A mixture of experts (Shazeer et al. 2017, arXiv:1701.06538) as the feed-forward part of a layer: the sum of the experts'
 * outputs, weighted by gates that are 0 for all but the experts with the highest probabilities. All experts are computed for
 * all tokens, since a graph has fixed shapes. [N, C] -> [N, C], with the router's logits [N, E]. `layer` is the start of the
 * parameters' names.
 */
export function mixtureOfExperts(
  { experts, chosen, normalized, names }: Mixture,
  { layer, x, pass }: { readonly layer: string; readonly x: tf.Tensor; readonly pass: ForwardPass },
): { readonly value: tf.Tensor; readonly logits: tf.Tensor } {
  const project = projectWith(pass);
  const block = `${layer}.${names.block}`;
  const logits = project(`${block}.gate`, x, false); // [N, E]
  const gates = tf.split(chosenOnly({ logits, chosen, normalized }), experts, 1); // [N, 1] each
  const outputs = gates.map((gate, expert) => {
    const part = (name: string, x: tf.Tensor) => project(`${block}.experts.${expert}.${name}`, x, false);
    const inner = swiGlu({ gate: part(names.gate, x), up: part(names.up, x) }); // [N, I]
    return tf.mul(part(names.down, inner), gate); // [N, C]
  });
  return { value: outputs.reduce((sum, output) => tf.add(sum, output)), logits };
}
