import { operator, sizeOf } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

export const paddingKernels = {
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
};

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
