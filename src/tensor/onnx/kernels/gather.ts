import { backend_util, gather_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';
import { transposed } from './shape.ts';

export const gatherKernels = {
  GatherNd: kernel<'params' | 'indices'>(({ inputs, graph }) => {
    gather_util.prepareAndValidate(withRank(inputs.params), withRank(inputs.indices));
    const [params, indices] = [graph.value(inputs.params), graph.cast(graph.value(inputs.indices), 'int64')];
    const depth = indices.shape.at(-1) ?? 0;
    const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)];
    return graph.tensor(graph.add({ operator: operator('GatherND'), inputs: [params, indices], shape }));
  }),
  GatherV2: kernel<'x' | 'indices', { axis: number; batchDims: number }>(({ inputs, attributes, graph }) => {
    const x = graph.value(inputs.x);
    const indices = graph.cast(graph.value(inputs.indices), 'int32');
    const [axis = 0] = util.parseAxisParam(attributes.axis, [...x.shape]);
    const { batchDims } = attributes;
    backend_util.segment_util.collectGatherOpShapeInfo(inputs.x, inputs.indices, axis, batchDims); // throws
    assertInRange(indices, x.shape[axis] ?? 0);
    const batches = batchDims < 0 ? batchDims + indices.shape.length : batchDims;
    if (batches > 0) return graph.tensor(gatherInBatches(graph, { x, indices, axis, batches }));
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return graph.tensor(graph.add({ operator: operator('Gather', { axis }), inputs: [x, indices], shape }));
  }),
};

// tfjs-core types the parameters of its own check as tensors, of which it reads rank, shape and element type.
const withRank = (tensor: TensorInfo) => ({ ...tensor, rank: tensor.shape.length }) as never;

/** Checks indices that are already on the host; those still to be computed fail when the result is read. */
function assertInRange({ data }: GraphValue, size: number): void {
  if (!(data instanceof Int32Array)) return;
  const wrong = data.find((index) => index < 0 || index >= size);
  if (wrong !== undefined) throw new Error(`GatherV2: the index value ${wrong} is not in [0, ${size - 1}]`); // tfjs's message
}

/**
 * Gathers along `axis`, with separate indices for each element of the first `batches` dimensions. GatherND takes elements
 * along the axis right after the batches: the axis is moved there, and the dimensions in between are moved back afterwards.
 */
function gatherInBatches(
  graph: GraphRecorder,
  {
    x,
    indices,
    axis,
    batches,
  }: {
    readonly x: GraphValue;
    readonly indices: GraphValue;
    readonly axis: number;
    readonly batches: number;
  },
): GraphValue {
  const rows = graph.view(graph.cast(indices, 'int64'), [...indices.shape, 1]);
  const between = range(batches, axis);
  const perm = [...range(0, batches), axis, ...between, ...range(axis + 1, x.shape.length)];
  const source = transposed(graph, { x, perm });
  const shape = [...indices.shape, ...source.shape.slice(batches + 1)];
  const node = { operator: operator('GatherND', { batch_dims: batches }), inputs: [source, rows], shape };
  const own = indices.shape.length; // dimensions before those in between
  const back = [
    ...range(0, batches),
    ...range(own, own + between.length),
    ...range(batches, own),
    ...range(own + between.length, shape.length),
  ];
  return transposed(graph, { x: graph.add(node), perm: back });
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
