import { sizeOf } from '../graph/graph-value.ts';
import { operator } from '../graph/operator.ts';
import { kernel } from './kernel.ts';

type Paddings = readonly (readonly [number, number])[];

const grown = (shape: readonly number[], paddings: Paddings): number[] =>
  shape.map((size, i) => size + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0));

const beforeAndAfter = (paddings: Paddings): number[] => [
  ...paddings.map(([before]) => before),
  ...paddings.map(([, after]) => after),
];

export const paddingKernels = {
  MirrorPad: kernel<'x', { paddings: Paddings; mode: 'reflect' | 'symmetric' }>(
    ({ inputs, attributes: { paddings, mode }, graph }) => {
      if (mode === 'symmetric')
        throw new Error('The onnx backend mirrors with mode `reflect` only: use concat.');
      const x = graph.value(inputs.x);
      const padded = [x, graph.integers(beforeAndAfter(paddings))];
      return graph.tensor(
        graph.add({ operator: operator('Pad', { mode }), inputs: padded, shape: grown(x.shape, paddings) }),
      );
    },
  ),
  PadV2: kernel<'x', { paddings: Paddings; constantValue: number }>(
    ({ inputs, attributes: { paddings, constantValue }, graph }) => {
      const x = graph.value(inputs.x);
      const shape = grown(x.shape, paddings);
      if (sizeOf(x.shape) === 0) return graph.tensor(graph.filled(constantValue, { shape, type: x.type }));
      const padded = [x, graph.integers(beforeAndAfter(paddings)), graph.scalar(constantValue, x.type)];
      return graph.tensor(graph.add({ operator: operator('Pad'), inputs: padded, shape }));
    },
  ),
};
