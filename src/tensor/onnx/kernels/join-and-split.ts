import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, sizeOf } from '../graph/graph-value.ts';
import { operator } from '../graph/operator.ts';
import { kernel, listKernel } from './kernel.ts';
import { sliceOf } from './shape.ts';

function concatenated(graph: GraphRecorder, parts: readonly GraphValue[]): (axis: number) => GraphValue {
  return (axis) => {
    const filled = parts.filter(({ shape }) => sizeOf(shape) > 0);
    const [first = parts[0]] = filled;
    const shape = (first?.shape ?? []).map((size, i) =>
      i === axis ? parts.reduce((sum, part) => sum + (part.shape[axis] ?? 0), 0) : size,
    );
    if (filled.length === 1 && filled[0] !== undefined) return filled[0];
    return graph.add({ operator: operator('Concat', { axis }), inputs: filled, shape, ...typeOf(parts) });
  };
}

const typeOf = ([first]: readonly GraphValue[]) => (first === undefined ? {} : { type: first.type });

/** The parts of a tensor along an axis, one for each of `sizes`. */
function parts(
  graph: GraphRecorder,
  x: GraphValue,
): (axis: number, sizes: readonly number[]) => GraphValue[] {
  return (axis, sizes) => {
    let start = 0;
    return sizes.map((size) => {
      const begin = x.shape.map((_, i) => (i === axis ? start : 0));
      const end = x.shape.map((whole, i) => (i === axis ? start + size : whole));
      start += size;
      const shape = x.shape.map((whole, i) => (i === axis ? size : whole));
      return sliceOf(graph, { x, begin, end, strides: begin.map(() => 1), shape });
    });
  };
}

// A part that is the whole must not share its value with the tensor it came from.
function tensorOfPart(
  graph: GraphRecorder,
  whole: TensorInfo,
): (part: GraphValue, shape: number[]) => TensorInfo {
  const value = graph.value(whole);
  return (part, shape) => (part === value ? graph.alias(whole, shape) : graph.tensor(part, shape));
}

export const joinAndSplitKernels = {
  AddN: listKernel(({ inputs, graph }) => {
    const [first, ...others] = inputs.map((tensor) => graph.value(tensor));
    if (first === undefined) throw new Error('AddN needs at least one tensor.');
    const sum = others.reduce((left, right) => graph.apply(operator('Add'), [left, right]), first);
    return sum === first && inputs[0] !== undefined
      ? graph.alias(inputs[0], inputs[0].shape)
      : graph.tensor(sum);
  }),
  Concat: listKernel<{ axis: number }>(({ inputs, attributes, graph }) => {
    const [axis = 0] = util.parseAxisParam(attributes.axis, inputs[0]?.shape ?? []);
    const values = inputs.map((tensor) => graph.value(tensor));
    const joined = concatenated(graph, values)(axis);
    const whole = inputs[values.indexOf(joined)];
    return whole === undefined ? graph.tensor(joined) : graph.alias(whole, whole.shape);
  }),
  Pack: listKernel<{ axis: number }>(({ inputs, attributes, graph }) => {
    const [first] = inputs;
    const rank = (first?.shape.length ?? 0) + 1;
    const axis = attributes.axis < 0 ? attributes.axis + rank : attributes.axis;
    const withAxis = (first?.shape ?? []).slice();
    withAxis.splice(axis, 0, 1);
    if (inputs.length === 1 && first !== undefined) return graph.alias(first, withAxis);
    const values = inputs.map((tensor) => graph.view(graph.value(tensor), withAxis));
    const packed = withAxis.map((size, i) => (i === axis ? inputs.length : size));
    return graph.tensor(concatenated(graph, values)(axis), packed);
  }),
  SplitV: kernel<'x', { numOrSizeSplits: number | number[]; axis: number }>(
    ({ inputs, attributes, graph }) => {
      const [axis = 0] = util.parseAxisParam(attributes.axis, [...inputs.x.shape]);
      const sizes = backend_util.prepareSplitSize(inputs.x as never, attributes.numOrSizeSplits, axis); // reads its shape
      const split = parts(graph, graph.value(inputs.x))(axis, sizes);
      return split.map((part) => tensorOfPart(graph, inputs.x)(part, [...part.shape]));
    },
  ),
  Unpack: kernel<'value', { axis: number }>(({ inputs, attributes, graph }) => {
    const [axis = 0] = util.parseAxisParam(attributes.axis, [...inputs.value.shape]);
    const without = inputs.value.shape.filter((_, i) => i !== axis);
    const sizes = Array<number>(inputs.value.shape[axis] ?? 0).fill(1);
    const split = parts(graph, graph.value(inputs.value))(axis, sizes);
    return split.map((part) => tensorOfPart(graph, inputs.value)(part, without));
  }),
};
