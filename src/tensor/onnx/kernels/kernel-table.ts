import type * as tf from '@tensorflow/tfjs-core';
import { binaryKernels } from './binary.ts';
import { creationKernels } from './creation.ts';
import { gatherKernels } from './gather.ts';
import { joinAndSplitKernels } from './join-and-split.ts';
import type { Kernel } from './kernel.ts';
import { matMulKernels } from './mat-mul.ts';
import { normalizationKernels } from './normalization.ts';
import { reductionKernels } from './reductions.ts';
import { type RefusedKernel, refusals } from './refusals.ts';
import { scatterKernels } from './scatter.ts';
import { selectionKernels } from './selection.ts';
import { shapeKernels } from './shape.ts';
import { unaryKernels } from './unary.ts';

/** Names of the kernels that tfjs-core can dispatch: its exports whose value is their own name. */
type KernelName = {
  [Name in keyof typeof tf]: (typeof tf)[Name] extends Name ? Name : never;
}[keyof typeof tf];

const kernels = {
  ...unaryKernels,
  ...binaryKernels,
  ...reductionKernels,
  ...normalizationKernels,
  ...matMulKernels,
  ...shapeKernels,
  ...joinAndSplitKernels,
  ...creationKernels,
  ...selectionKernels,
  ...gatherKernels,
  ...scatterKernels,
};

/** Every kernel of tfjs-core, implemented or refused: a name in neither list is a compile error. */
export const kernelTable: Readonly<Record<KernelName, Kernel>> = { ...kernels, ...refusedKernels() };

function refusedKernels(): Record<RefusedKernel, Kernel> {
  const entries = Object.entries(refusals).map(([name, reason]) => [name, refuse(name, reason)]);
  return Object.fromEntries(entries); // the names of `refusals` are those of the type
}

function refuse(name: string, reason: string): Kernel {
  return () => {
    throw new Error(`The onnx backend does not implement ${name}: ${reason}.`);
  };
}
