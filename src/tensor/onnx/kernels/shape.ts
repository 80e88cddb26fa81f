import { slice_util, util } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator, sizeOf } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

export const shapeKernels = {
  BroadcastTo: kernel<'x', { shape: number[] }>(({ inputs, attributes: { shape }, graph }) => {
    const expanded = {
      operator: operator('Expand'),
      inputs: [graph.value(inputs.x), graph.integers(shape)],
      shape,
    };
    return graph.tensor(graph.add(expanded));
  }),
  ExpandDims: kernel<'input', { dim: number }>(({ inputs: { input }, attributes: { dim }, graph }) => {
    const shape = [...input.shape];
    util.assert(
      dim >= -shape.length - 1 && dim <= shape.length,
      () =>
        `A new axis of a tensor of rank ${shape.length} is -${shape.length + 1} to ${shape.length}, not ${dim}.`,
    );
    shape.splice(dim < 0 ? dim + shape.length + 1 : dim, 0, 1);
    return graph.alias(input, shape);
  }),
  Identity: kernel<'x'>(({ inputs: { x }, graph }) => graph.alias(x, x.shape)),
  MirrorPad: kernel<'x', { paddings: Paddings; mode: 'reflect' | 'symmetric' }>(
    ({ inputs, attributes: { paddings, mode }, graph }) => {
      let x = graph.value(inputs.x);
      for (const [axis, padding] of paddings.entries()) {
        const size = x.shape[axis] ?? 0;
        if (padding[0] === 0 && padding[1] === 0) continue;
        const data = mirroredIndices({ size, padding, mode });
        const indices = graph.fromHost(data, { shape: [data.length], type: 'int32' });
        const shape = x.shape.map((length, i) => (i === axis ? data.length : length));
        x = graph.add({ operator: operator('Gather', { axis }), inputs: [x, indices], shape });
      }
      return graph.tensor(x);
    },
  ),
  PadV2: kernel<'x', { paddings: Paddings; constantValue: number }>(
    ({ inputs, attributes: { paddings, constantValue }, graph }) => {
      const x = graph.value(inputs.x);
      const shape = paddedShape(x.shape, paddings);
      if (sizeOf(x.shape) === 0) return graph.tensor(graph.filled(constantValue, { shape, type: x.type }));
      const padded = [x, graph.integers(beforeAndAfter(paddings)), graph.scalar(constantValue, x.type)];
      return graph.tensor(graph.add({ operator: operator('Pad'), inputs: padded, shape }));
    },
  ),
  Reshape: kernel<'x', { shape: number[] }>(({ inputs: { x }, attributes: { shape }, graph }) =>
    graph.alias(x, util.inferFromImplicitShape(shape, util.sizeFromShape([...x.shape]))),
  ),
  Reverse: kernel<'x', { dims: number | number[] }>(({ inputs, attributes: { dims }, graph }) => {
    const x = graph.value(inputs.x);
    const axes = util.parseAxisParam(dims, [...x.shape]);
    if (axes.length === 0) return graph.alias(inputs.x, inputs.x.shape);
    const [first, last, step] = [-1, -(2 ** 31), -1];
    const vectors = [axes.map(() => first), axes.map(() => last), axes, axes.map(() => step)];
    const reversed = [x, ...vectors.map((values) => graph.integers(values))];
    return graph.tensor(graph.add({ operator: operator('Slice'), inputs: reversed, shape: x.shape }));
  }),
  Slice: kernel<'x', { begin: number | number[]; size: number | number[] }>(
    ({ inputs, attributes, graph }) => {
      const x = graph.value(inputs.x);
      // tfjs types the sizes as required, but fills in missing ones.
      const [begin = [], size = []] = slice_util.parseSliceParams(
        inputs.x,
        attributes.begin,
        attributes.size as number[],
      );
      slice_util.assertParamsValid(inputs.x, begin, size);
      const end = begin.map((start, i) => start + (size[i] ?? 0));
      const part = sliceOf(graph, { x, begin, end, strides: begin.map(() => 1), shape: size });
      return part === x ? graph.alias(inputs.x, inputs.x.shape) : graph.tensor(part);
    },
  ),
  StridedSlice: kernel<'x', StridedSliceAttributes>(({ inputs, attributes, graph }) => {
    const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
    const masks = [beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask] as const;
    const info = slice_util.sliceInfo([...inputs.x.shape], begin, end, strides, ...masks);
    const x = graph.value(inputs.x);
    const shape = slice_util.computeOutShape(info.begin, info.end, info.strides);
    if (util.sizeFromShape(shape) === 0)
      return graph.tensor(graph.filled(0, { shape: info.finalShape, type: x.type }));
    // A backward slice ends before the first element. ONNX counts -1 from the end, so the end goes beyond the start.
    const ends = info.end.map((end, i) => ((info.strides[i] ?? 1) < 0 && end < 0 ? -(2 ** 31) : end));
    const part = sliceOf(graph, { x, begin: info.begin, end: ends, strides: info.strides, shape });
    return part === x ? graph.alias(inputs.x, info.finalShape) : graph.tensor(part, info.finalShape);
  }),
  Tile: kernel<'x', { reps: number[] }>(({ inputs, attributes: { reps }, graph }) => {
    const x = graph.value(inputs.x);
    const shape = x.shape.map((size, i) => size * (reps[i] ?? 1));
    return graph.tensor(graph.add({ operator: operator('Tile'), inputs: [x, graph.integers(reps)], shape }));
  }),
  Transpose: kernel<'x', { perm: number[] }>(({ inputs, attributes: { perm }, graph }) => {
    const x = graph.value(inputs.x);
    const y = transposed(graph, { x, perm });
    return y === x ? graph.alias(inputs.x, inputs.x.shape) : graph.tensor(y);
  }),
};

/** x with its dimensions in the order `perm`; x itself if that is their order. */
export function transposed(
  graph: GraphRecorder,
  { x, perm }: { readonly x: GraphValue; readonly perm: readonly number[] },
): GraphValue {
  if (perm.every((from, to) => from === to)) return x;
  const shape = perm.map((from) => x.shape[from] ?? 0);
  return graph.add({ operator: operator('Transpose', { perm }), inputs: [x], shape });
}

/** The part of x from `begin` up to, but not including, `end` along every axis. */
export function sliceOf(
  graph: GraphRecorder,
  {
    x,
    begin,
    end,
    strides,
    shape,
  }: { readonly x: GraphValue } & Readonly<Record<'begin' | 'end' | 'strides' | 'shape', readonly number[]>>,
): GraphValue {
  const axes = [...begin.keys()].filter((i) => begin[i] !== 0 || end[i] !== x.shape[i] || strides[i] !== 1);
  if (axes.length === 0) return x;
  const vectors = [begin, end, axes, strides].map((values) =>
    graph.integers(values === axes ? axes : axes.map((i) => values[i] ?? 0)),
  );
  return graph.add({ operator: operator('Slice'), inputs: [x, ...vectors], shape });
}

type StridedSliceAttributes = Readonly<
  Record<'begin' | 'end' | 'strides', number[]> &
    Record<'beginMask' | 'endMask' | 'ellipsisMask' | 'newAxisMask' | 'shrinkAxisMask', number>
>;

type Paddings = readonly (readonly [number, number])[];

const paddedShape = (shape: readonly number[], paddings: Paddings): number[] =>
  shape.map((size, i) => size + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0));

const beforeAndAfter = (paddings: Paddings): number[] => [
  ...paddings.map(([before]) => before),
  ...paddings.map(([, after]) => after),
];

/** Indices along an axis padded by mirroring, without the outermost element ('reflect') or with it ('symmetric'). */
function mirroredIndices({
  size,
  padding: [before, after],
  mode,
}: {
  readonly size: number;
  readonly padding: readonly [number, number];
  readonly mode: 'reflect' | 'symmetric';
}): Int32Array {
  const offset = mode === 'symmetric' ? -1 : 0;
  return Int32Array.from({ length: before + size + after }, (_, i) => {
    const index = i - before;
    if (index < 0) return offset - index;
    return index < size ? index : 2 * (size - 1) - offset - index;
  });
}
