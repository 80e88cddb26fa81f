import { operator, sizeOf } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

type Paddings = readonly (readonly [number, number])[];

const grown = (shape: readonly number[], paddings: Paddings): number[] =>
  shape.map((size, i) => size + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0));

const beforeAndAfter = (paddings: Paddings): number[] => [
  ...paddings.map(([before]) => before),
  ...paddings.map(([, after]) => after),
];

interface Mirroring {
  readonly size: number;
  readonly padding: readonly [number, number];
  readonly mode: 'reflect' | 'symmetric';
}

/** The places along an axis that follow one another once both ends are mirrored: beside the last element, or in it. */
function mirroredPlaces({ size, padding: [before, after], mode }: Mirroring): Int32Array {
  const turn = mode === 'symmetric' ? -1 : 0;
  return Int32Array.from({ length: before + size + after }, (_, i) => {
    const place = i - before;
    if (place < 0) return turn - place;
    return place < size ? place : 2 * (size - 1) - turn - place;
  });
}

export const paddingKernels = {
  MirrorPad: kernel<'x', { paddings: Paddings; mode: 'reflect' | 'symmetric' }>(
    ({ inputs, attributes: { paddings, mode }, graph }) => {
      let x = graph.value(inputs.x);
      for (const [axis, padding] of paddings.entries()) {
        const size = x.shape[axis] ?? 0;
        if (padding[0] === 0 && padding[1] === 0) continue;
        const places = mirroredPlaces({ size, padding, mode });
        const indices = graph.held(places, { shape: [places.length], type: 'int32' });
        const shape = x.shape.map((length, i) => (i === axis ? places.length : length));
        x = graph.add({ operator: operator('Gather', { axis }), inputs: [x, indices], shape });
      }
      return graph.tensor(x);
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
