import { util } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import type { GraphValue } from '../graph/graph-value.ts';
import { operator } from '../graph/operator.ts';
import { kernel } from './kernel.ts';

export const gatherKernels = {
  GatherNd: kernel<'params' | 'indices'>(({ inputs, graph }) => {
    const [params, indices] = [graph.value(inputs.params), graph.cast(graph.value(inputs.indices), 'int64')];
    const depth = indices.shape.at(-1) ?? 0;
    const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)];
    return graph.tensor(graph.add({ operator: operator('GatherND'), inputs: [params, indices], shape }));
  }),
  GatherV2: kernel<'x' | 'indices', { axis: number; batchDims: number }>(({ inputs, attributes, graph }) => {
    const x = graph.value(inputs.x);
    const indices = graph.cast(graph.value(inputs.indices), 'int32');
    const [axis = 0] = util.parseAxisParam(attributes.axis, [...x.shape]);
    if (attributes.batchDims !== 0)
      return graph.tensor(gatherInBatches(graph, { x, indices, axis, batchDims: attributes.batchDims }));
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return graph.tensor(graph.add({ operator: operator('Gather', { axis }), inputs: [x, indices], shape }));
  }),
};

interface BatchedGather {
  readonly x: GraphValue;
  readonly indices: GraphValue;
  readonly axis: number;
  readonly batchDims: number;
}

/** Each batch has indices of its own: only along the axis right after the batches, as GatherND has it. */
function gatherInBatches(graph: GraphRecorder, { x, indices, axis, batchDims }: BatchedGather): GraphValue {
  if (axis !== batchDims) {
    throw new Error(
      `The onnx backend gathers in batches along axis ${batchDims}, not ${axis}: transpose first.`,
    );
  }
  const places = graph.view(graph.cast(indices, 'int64'), [...indices.shape, 1]);
  const shape = [...indices.shape, ...x.shape.slice(axis + 1)];
  return graph.add({ operator: operator('GatherND', { batch_dims: batchDims }), inputs: [x, places], shape });
}
