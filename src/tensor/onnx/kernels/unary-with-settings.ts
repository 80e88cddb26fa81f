import type { DataType } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type ElementType, type GraphValue, operator } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

const MAX = operator('Max');
const MIN = operator('Min');
const MUL = operator('Mul');
const WHERE = operator('Where');
const GREATER = operator('Greater');

/** x where x is positive, alpha x elsewhere. */
export function leakyRelu(
  graph: GraphRecorder,
  { x, alpha }: { x: GraphValue; alpha: GraphValue },
): GraphValue {
  const isPositive = graph.test(GREATER, [x, graph.scalar(0)]);
  return graph.apply(WHERE, [isPositive, x, graph.apply(MUL, [x, alpha])]);
}

export const unaryKernelsWithSettings = {
  Cast: kernel<'x', { dtype: DataType }>(({ inputs: { x }, attributes: { dtype }, graph }) => {
    if (dtype === x.dtype) return graph.alias(x, x.shape);
    if (dtype === 'string' || dtype === 'complex64')
      throw new Error(`The onnx backend has no ${dtype} tensors.`);
    return graph.tensor(graph.cast(graph.value(x), dtype satisfies ElementType));
  }),
  ClipByValue: kernel<'x', { clipValueMin: number; clipValueMax: number }>(
    ({ inputs, attributes: { clipValueMin, clipValueMax }, graph }) => {
      const x = graph.value(inputs.x);
      const raised = graph.apply(MAX, [x, graph.scalar(clipValueMin, x.type)]);
      return graph.tensor(graph.apply(MIN, [raised, graph.scalar(clipValueMax, x.type)]));
    },
  ),
  EluGrad: kernel<'dy' | 'y'>(({ inputs, graph }) => {
    const [dy, y] = [graph.value(inputs.dy), graph.value(inputs.y)];
    const slope = graph.apply(operator('Add'), [y, graph.scalar(1)]);
    const negative = graph.apply(MUL, [dy, slope]);
    const isPositive = graph.test(operator('GreaterOrEqual'), [y, graph.scalar(0)]);
    return graph.tensor(graph.apply(WHERE, [isPositive, dy, negative]));
  }),
  LeakyRelu: kernel<'x', { alpha: number }>(({ inputs, attributes: { alpha }, graph }) => {
    const x = graph.cast(graph.value(inputs.x), 'float32');
    return graph.tensor(leakyRelu(graph, { x, alpha: graph.scalar(alpha) }));
  }),
  Prelu: kernel<'x' | 'alpha'>(({ inputs, graph }) => {
    const [x, alpha] = [inputs.x, inputs.alpha].map((tensor) => graph.cast(graph.value(tensor), 'float32'));
    if (x === undefined || alpha === undefined) throw new Error('Prelu needs x and alpha.');
    return graph.tensor(leakyRelu(graph, { x, alpha }));
  }),
  // 1 above zero, alpha at zero and below, NaN for NaN.
  Step: kernel<'x', { alpha: number }>(({ inputs, attributes: { alpha }, graph }) => {
    const x = graph.cast(graph.value(inputs.x), 'float32');
    const isPositive = graph.test(GREATER, [x, graph.scalar(0)]);
    const step = graph.apply(WHERE, [isPositive, graph.scalar(1), graph.scalar(alpha)]);
    const marked = graph.apply(WHERE, [graph.test(operator('IsNaN'), [x]), x, step]);
    return graph.tensor(inputs.x.dtype === 'int32' ? graph.cast(marked, 'int32') : marked);
  }),
};
