import { util } from '@tensorflow/tfjs-core';
import { operator } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

const WHERE = operator('Where');

export const selectionKernels = {
  Select: kernel<'condition' | 't' | 'e'>(({ inputs, graph }) => {
    const condition = graph.cast(graph.value(inputs.condition), 'bool');
    const [t, e] = [graph.value(inputs.t), graph.value(inputs.e)];
    if (t.type !== 'bool') return graph.tensor(graph.apply(WHERE, [condition, t, e]));
    // ONNX Runtime selects between numbers only.
    const chosen = graph.apply(WHERE, [condition, graph.cast(t, 'int32'), graph.cast(e, 'int32')]);
    return graph.tensor(graph.cast(chosen, 'bool'));
  }),
  TopK: kernel<'x', { k: number; sorted: boolean }>(({ inputs, attributes: { k }, graph }) => {
    const x = graph.value(inputs.x);
    const shape = [...x.shape.slice(0, -1), k];
    if (util.sizeFromShape(shape) === 0) {
      const types = [x.type, 'int32'] as const;
      return types.map((type) => graph.tensor(graph.filled(0, { shape, type })));
    }
    const [values = x, indices = x] = graph.addMany({
      operator: operator('TopK', { axis: -1, largest: 1, sorted: 1 }),
      inputs: [x, graph.integers([k])],
      outputs: [
        { shape, type: x.type },
        { shape, type: 'int64' },
      ],
    });
    return [graph.tensor(values), graph.tensor(graph.cast(indices, 'int32'))];
  }),
};
