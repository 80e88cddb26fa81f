import * as tf from '@tensorflow/tfjs-core';
import { chosenOnly, expertOutput, swiGlu } from '../../tensor/index.ts';
import type { ForwardPass } from '../forward-pass.ts';
import { projectWith } from '../modules.ts';
import type { Mixture } from './mixture-config.ts';

/**
 * A mixture of experts (Shazeer et al. 2017, arXiv:1701.06538) as the feed-forward part of a layer: the sum of the experts'
 * outputs, weighted by shares that are 0 for all but the experts with the highest probabilities. An expert with an adapter is
 * computed for all tokens. [N, C] -> [N, C], with the router's logits [N, E]. `layer` is the start of the parameters' names.
 */
export function mixtureOfExperts(
  { experts, chosen, normalized, names }: Mixture,
  { layer, x, pass }: { readonly layer: string; readonly x: tf.Tensor; readonly pass: ForwardPass },
): { readonly value: tf.Tensor; readonly logits: tf.Tensor } {
  const project = projectWith(pass);
  const block = `${layer}.${names.block}`;
  const logits = project(`${block}.gate`, x, false); // [N, E]
  const shares = tf.split(chosenOnly({ logits, chosen, normalized }), experts, 1); // [N, 1] each
  const outputs = shares.map((share, expert) => {
    const nameOf = (projection: string) => `${block}.experts.${expert}.${projection}`;
    const [gate, up, down] = [nameOf(names.gate), nameOf(names.up), nameOf(names.down)];
    if ([gate, up, down].some(pass.adapts)) {
      const inner = swiGlu({ gate: project(gate, x, false), up: project(up, x, false) }); // [N, I]
      return project(down, tf.mul(inner, share), false); // [N, C]
    }
    const weight = (name: string) => pass.parameter(`${name}.weight`);
    return expertOutput({ x, share, gate: weight(gate), up: weight(up), down: weight(down) }); // [N, C]
  });
  return { value: outputs.reduce((sum, output) => tf.add(sum, output)), logits };
}
