import * as tf from '@tensorflow/tfjs-core';
import { binaryRules } from './binary-rules.ts';
import { gatherRules } from './gather-rules.ts';
import type { GradientRule, GradientRules, Kept } from './gradient-rule.ts';
import { matMulRules } from './mat-mul-rules.ts';
import { reductionRules } from './reduction-rules.ts';
import { shapeRules } from './shape-rules.ts';
import { unaryRules } from './unary-rules.ts';

const all = (dy: tf.Tensor): tf.Tensor[] => [dy].flat();

/** Kernels with several outputs: tfjs passes their rules a list of gradients in place of one. */
const listRules: GradientRules = {
  SplitV: { gradient: (dy, _, { axis }) => ({ x: () => tf.concat(all(dy), axis as number) }) },
  Unpack: { gradient: (dy, _, { axis }) => ({ value: () => tf.stack(all(dy), axis as number) }) },
};

/** Every rule, by the name of its kernel. Under Node tfjs-core has none. */
const gradientRules: GradientRules = {
  ...unaryRules,
  ...binaryRules,
  ...reductionRules,
  ...shapeRules,
  ...listRules,
  ...gatherRules,
  ...matMulRules,
};

/** Registers every rule with tfjs-core, replacing those already registered. */
export function registerGradients(): void {
  for (const [kernelName, rule] of Object.entries(gradientRules)) {
    if (tf.getGradient(kernelName) !== undefined) tf.unregisterGradient(kernelName);
    tf.registerGradient(configOf(kernelName, rule));
  }
}

function configOf(kernelName: string, rule: GradientRule): tf.GradConfig {
  const { inputs = [], output = false, allInputs = false, gradient } = rule;
  return {
    kernelName,
    inputsToSave: [...inputs],
    outputsToSave: [output],
    saveAllInputs: allInputs,
    // tfjs types dy as one tensor or a list; rules of several outputs flatten it themselves.
    gradFunc: (dy, saved, attributes) => gradient(dy as tf.Tensor, keptFrom(kernelName, saved), attributes),
  };
}

function keptFrom(kernelName: string, tensors: readonly tf.Tensor[]): Kept {
  return {
    tensors,
    at(index) {
      const tensor = tensors[index];
      if (tensor === undefined)
        throw new Error(`The gradient of ${kernelName} kept ${tensors.length} tensors only.`);
      return tensor;
    },
  };
}
