import type * as tf from '@tensorflow/tfjs-core';
import { concat, stack } from '@tensorflow/tfjs-core';
import type { GradientRules } from './gradient-rule.ts';

// Kernels with several outputs: tfjs hands their rules a list of gradients in place of one.
const all = (dy: tf.Tensor): tf.Tensor[] => [dy].flat();

export const listRules: GradientRules = {
  SplitV: { gradient: (dy, _, { axis }) => ({ x: () => concat(all(dy), axis as number) }) },
  Unpack: { gradient: (dy, _, { axis }) => ({ value: () => stack(all(dy), axis as number) }) },
};
