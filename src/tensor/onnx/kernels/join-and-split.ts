import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator, sizeOf } from '../graph/graph-value.ts';
import { kernel, listKernel } from './kernel.ts';
import { sliceOf } from './shape.ts';

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
    const shapes = inputs.map(({ shape }) => shape);
    backend_util.assertParamsConsistent(shapes, axis);
    const parts = inputs.map((tensor) => graph.value(tensor));
    const result = concatenated(graph, { parts, axis });
    const whole = inputs[parts.indexOf(result)];
    return whole === undefined ? graph.tensor(result) : graph.alias(whole, whole.shape);
  }),
  Pack: listKernel<{ axis: number }>(({ inputs, attributes, graph }) => {
    const [first] = inputs;
    if (first === undefined) throw new Error('Pack needs at least one tensor.');
    for (const { shape, dtype } of inputs) {
      util.assertShapesMatch(first.shape, shape, 'All tensors of a stack have the same shape: ');
      util.assert(dtype === first.dtype, () => 'All tensors of a stack have the same element type.');
    }
    const axis = attributes.axis < 0 ? attributes.axis + first.shape.length + 1 : attributes.axis;
    const withAxis = [...first.shape.slice(0, axis), 1, ...first.shape.slice(axis)];
    if (inputs.length === 1) return graph.alias(first, withAxis);
    const parts = inputs.map((tensor) => graph.view(graph.value(tensor), withAxis));
    return graph.tensor(concatenated(graph, { parts, axis }));
  }),
  SplitV: kernel<'x', { numOrSizeSplits: number | number[]; axis: number }>(
    ({ inputs: { x }, attributes, graph }) => {
      const [axis = 0] = util.parseAxisParam(attributes.axis, [...x.shape]);
      const sizes = backend_util.prepareSplitSize(x as never, attributes.numOrSizeSplits, axis); // reads its shape
      return split(graph, { tensor: x, axis, sizes });
    },
  ),
  Unpack: kernel<'value', { axis: number }>(({ inputs: { value }, attributes, graph }) => {
    const [axis = 0] = util.parseAxisParam(attributes.axis, [...value.shape]);
    const shape = value.shape.filter((_, i) => i !== axis);
    const sizes = Array<number>(value.shape[axis] ?? 0).fill(1);
    return split(graph, { tensor: value, axis, sizes }).map((part) => ({ ...part, shape }));
  }),
};

/** The parts concatenated along an axis; if only one is not empty, that part itself. */
function concatenated(
  graph: GraphRecorder,
  { parts, axis }: { readonly parts: readonly GraphValue[]; readonly axis: number },
): GraphValue {
  const [first] = parts;
  if (first === undefined) throw new Error('There is nothing to concatenate.');
  const nonEmpty = parts.filter(({ shape }) => sizeOf(shape) > 0);
  if (nonEmpty.length === 1 && nonEmpty[0] !== undefined) return nonEmpty[0];
  const total = parts.reduce((sum, part) => sum + (part.shape[axis] ?? 0), 0);
  const shape = first.shape.map((size, i) => (i === axis ? total : size));
  return graph.add({ operator: operator('Concat', { axis }), inputs: nonEmpty, shape, type: first.type });
}

/** The parts of a tensor along an axis, one for each of `sizes`. */
function split(
  graph: GraphRecorder,
  { tensor, axis, sizes }: { readonly tensor: TensorInfo; readonly axis: number; readonly sizes: number[] },
): TensorInfo[] {
  const x = graph.value(tensor);
  let start = 0;
  return sizes.map((size) => {
    const begin = x.shape.map((_, i) => (i === axis ? start : 0));
    const end = x.shape.map((length, i) => (i === axis ? start + size : length));
    start += size;
    const shape = x.shape.map((length, i) => (i === axis ? size : length));
    const part = sliceOf(graph, { x, begin, end, strides: begin.map(() => 1), shape });
    // A part that is the whole tensor is an alias, so that both share one reference count.
    return part === x ? graph.alias(tensor, part.shape) : graph.tensor(part);
  });
}
