import { util } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator, sizeOf } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

interface SegmentSum {
  /** [N, C] */
  readonly rows: GraphValue;
  /** int32 [N]; a row whose segment is not in 0 .. segments - 1 is left out */
  readonly ids: GraphValue;
  readonly segments: number;
}

/**
 * Adds up the rows of each segment, in the order of the rows: [segments, C].
 * ScatterND with addition is not used: in ONNX Runtime 1.30 two threads lose additions where ids repeat.
 * ScatterElements adds on one thread.
 */
function segmentSum(graph: GraphRecorder, { rows, ids, segments }: SegmentSum): GraphValue {
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
  const places = graph.add({ operator: operator('Expand'), inputs: [segment, graph.integers(shape)], shape });
  const scatter = operator('ScatterElements', { axis: 0, reduction: 'add' });
  return graph.add({ operator: scatter, inputs: [zeros, places, kept], shape: [segments, width] });
}

interface Places {
  /** [count, depth] */
  readonly indices: GraphValue;
  readonly shape: readonly number[];
}

/** The place of each index among the flattened first dimensions of `shape`. */
function flatPlaces(graph: GraphRecorder, { indices, shape }: Places): GraphValue {
  const [count = 0, depth = 0] = indices.shape;
  const strides = shape.slice(0, depth).map((_, i) => sizeOf(shape.slice(i + 1, depth)));
  const factors = graph.held(Int32Array.from(strides), { shape: [depth], type: 'int32' });
  const weighted = graph.apply(operator('Mul'), [indices, factors]);
  const sum = operator('ReduceSum', { keepdims: 0 });
  return graph.add({ operator: sum, inputs: [weighted, graph.integers([1])], shape: [count] });
}

/** [count, depth]; a plain list is one of places along the first dimension. */
function asRows(graph: GraphRecorder, indices: GraphValue): GraphValue {
  const depth = indices.shape.length > 1 ? (indices.shape.at(-1) ?? 0) : 1;
  return graph.view(indices, [sizeOf(indices.shape) / Math.max(1, depth), depth]);
}

export const scatterKernels = {
  // Updates of one place add up, as in tfjs.
  ScatterNd: kernel<'indices' | 'updates', { shape: number[] }>(
    ({ inputs, attributes: { shape }, graph }) => {
      const indices = asRows(graph, graph.cast(graph.value(inputs.indices), 'int32'));
      const [count = 0, depth = 0] = indices.shape;
      const width = sizeOf(shape.slice(depth));
      const rows = graph.view(graph.value(inputs.updates), [count, width]);
      const ids = flatPlaces(graph, { indices, shape });
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
