import type { TensorInfo } from '@tensorflow/tfjs-core';
import { operator } from '../graph/graph-value.ts';
import { type Kernel, type KernelCall, kernel } from './kernel.ts';

type Inputs = Readonly<Record<'x' | 'mean' | 'variance', TensorInfo>> &
  Partial<Readonly<Record<'scale' | 'offset', TensorInfo | null>>>;

export const normalizationKernels = {
  // Scale and offset are optional inputs, which `kernel` cannot type.
  FusedBatchNorm: normalized as unknown as Kernel,
  LogSoftmax: softmax('LogSoftmax'),
  Softmax: softmax('Softmax'),
};

/** scale (x - mean) / sqrt(variance + epsilon) + offset; tfjs's layers normalize along any axis with it. */
function normalized({
  inputs,
  attributes,
  graph,
}: KernelCall<Inputs, { varianceEpsilon: number }>): TensorInfo {
  const [x, mean, variance] = [inputs.x, inputs.mean, inputs.variance].map((tensor) => graph.value(tensor));
  if (x === undefined || mean === undefined || variance === undefined)
    throw new Error('FusedBatchNorm needs x, mean and variance.');
  const raised = graph.apply(operator('Add'), [variance, graph.scalar(attributes.varianceEpsilon)]);
  const deviation = graph.apply(operator('Sqrt'), [raised]);
  let y = graph.apply(operator('Div'), [graph.apply(operator('Sub'), [x, mean]), deviation]);
  if (inputs.scale) y = graph.apply(operator('Mul'), [y, graph.value(inputs.scale)]);
  if (inputs.offset) y = graph.apply(operator('Add'), [y, graph.value(inputs.offset)]);
  return graph.tensor(y);
}

function softmax(type: 'Softmax' | 'LogSoftmax'): Kernel {
  return kernel<'logits', { dim?: number; axis?: number }>(({ inputs, attributes, graph }) => {
    const logits = graph.value(inputs.logits);
    const axis = attributes?.dim ?? attributes?.axis ?? -1;
    return graph.tensor(graph.apply(operator(type, { axis }), [logits]));
  });
}
