import { util } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator, sizeOf } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

export const scatterKernels = {
  // Updates of one element add up, as in tfjs.
  ScatterNd: kernel<'indices' | 'updates', { shape: number[] }>(
    ({ inputs, attributes: { shape }, graph }) => {
      const indices = asRows(graph, graph.cast(graph.value(inputs.indices), 'int32'));
      const [count = 0, depth = 0] = indices.shape;
      const width = sizeOf(shape.slice(depth));
      const rows = graph.view(graph.value(inputs.updates), [count, width]);
      const ids = flatIndices(graph, { indices, shape });
      return graph.tensor(segmentSum(graph, { rows, ids, segments: sizeOf(shape.slice(0, depth)) }), shape);
    },
  ),
  TensorScatterUpdate: kernel<'tensor' | 'indices' | 'updates'>(({ inputs, graph }) => {
    const tensor = graph.value(inputs.tensor);
    const indices = asRows(graph, graph.cast(graph.value(inputs.indices), 'int64'));
    const [count = 0, depth = 0] = indices.shape;
    const shape = tensor.shape;
    const updates = graph.view(graph.value(inputs.updates), [count, ...shape.slice(depth)]);
    return graph.tensor(
      graph.add({ operator: operator('ScatterND'), inputs: [tensor, indices, updates], shape }),
    );
  }),
  UnsortedSegmentSum: kernel<'x' | 'segmentIds', { numSegments: number }>(({ inputs, attributes, graph }) => {
    const { x, segmentIds } = inputs;
    const count = util.sizeFromShape(segmentIds.shape);
    const inner = x.shape.slice(segmentIds.shape.length);
    const rows = graph.view(graph.value(x), [count, sizeOf(inner)]);
    const ids = graph.view(graph.cast(graph.value(segmentIds), 'int32'), [count]);
    const sums = segmentSum(graph, { rows, ids, segments: attributes.numSegments });
    return graph.tensor(sums, [attributes.numSegments, ...inner]);
  }),
};

/**
 * Adds up the rows [N, C] of each segment in order: [segments, C]. `ids` are int32 [N]; a row whose id is not in
 * 0 .. segments - 1 is left out. ScatterND with addition is not used: in ONNX Runtime 1.30 it loses additions on two threads
 * where ids repeat. ScatterElements adds on one thread.
 */
function segmentSum(
  graph: GraphRecorder,
  { rows, ids, segments }: { readonly rows: GraphValue; readonly ids: GraphValue; readonly segments: number },
): GraphValue {
  const [count = 0, width = 0] = rows.shape;
  const zeros = graph.filled(0, { shape: [segments, width], type: rows.type });
  if (sizeOf(rows.shape) === 0 || segments === 0) return zeros;
  const column = graph.view(ids, [count, 1]);
  const isKnown = graph.test(operator('And'), [
    graph.test(operator('GreaterOrEqual'), [column, graph.scalar(0, 'int32')]),
    graph.test(operator('Less'), [column, graph.scalar(segments, 'int32')]),
  ]);
  const kept = graph.apply(operator('Where'), [isKnown, rows, graph.scalar(0, rows.type)]);
  const segment = graph.apply(operator('Where'), [isKnown, column, graph.scalar(0, 'int32')]);
  const shape = [count, width];
  const indices = graph.add({
    operator: operator('Expand'),
    inputs: [segment, graph.integers(shape)],
    shape,
  });
  const scatter = operator('ScatterElements', { axis: 0, reduction: 'add' });
  return graph.add({ operator: scatter, inputs: [zeros, indices, kept], shape: [segments, width] });
}

/** Indices [count, depth] into the first dimensions of `shape` as indices into those dimensions flattened, [count]. */
function flatIndices(
  graph: GraphRecorder,
  { indices, shape }: { readonly indices: GraphValue; readonly shape: readonly number[] },
): GraphValue {
  const [count = 0, depth = 0] = indices.shape;
  const strides = shape.slice(0, depth).map((_, i) => sizeOf(shape.slice(i + 1, depth)));
  const factors = graph.fromHost(Int32Array.from(strides), { shape: [depth], type: 'int32' });
  const weighted = graph.apply(operator('Mul'), [indices, factors]);
  const sum = operator('ReduceSum', { keepdims: 0 });
  return graph.add({ operator: sum, inputs: [weighted, graph.integers([1])], shape: [count] });
}

/** [count, depth]; a plain list holds indices along the first dimension. */
function asRows(graph: GraphRecorder, indices: GraphValue): GraphValue {
  const depth = indices.shape.length > 1 ? (indices.shape.at(-1) ?? 0) : 1;
  return graph.view(indices, [sizeOf(indices.shape) / Math.max(1, depth), depth]);
}
