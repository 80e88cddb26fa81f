import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator } from '../graph/graph-value.ts';
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
    return graph.tensor(
      type === 'LogSoftmax'
        ? logSoftmax(graph, { logits, axis })
        : graph.apply(operator(type, { axis }), [logits]),
    );
  });
}

/** x - log(sum(exp(x))), by its operator or, for an engine without it, with the maximum subtracted first. */
export function logSoftmax(
  graph: GraphRecorder,
  { logits, axis }: { readonly logits: GraphValue; readonly axis: number },
): GraphValue {
  const whole = operator('LogSoftmax', { axis });
  if (graph.has(whole)) return graph.apply(whole, [logits]);
  const at = axis < 0 ? axis + logits.shape.length : axis;
  const shape = logits.shape.map((size, dimension) => (dimension === at ? 1 : size));
  const reduced = (type: string, x: GraphValue) =>
    graph.add({ operator: operator(type, { keepdims: 1 }), inputs: [x, graph.integers([at])], shape });
  const shifted = graph.apply(operator('Sub'), [logits, reduced('ReduceMax', logits)]);
  const sum = reduced('ReduceSum', graph.apply(operator('Exp'), [shifted]));
  return graph.apply(operator('Sub'), [shifted, graph.apply(operator('Log'), [sum])]);
}
