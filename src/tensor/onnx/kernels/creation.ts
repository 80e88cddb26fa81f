import { type DataType, util } from '@tensorflow/tfjs-core';
import { type ElementType, operator } from '../graph/graph-value.ts';
import { type Kernel, kernel } from './kernel.ts';

export const creationKernels = {
  Fill: kernel<never, { shape: number[]; value: number; dtype?: DataType }>(({ attributes, graph }) => {
    const { shape, value, dtype } = attributes;
    const type = elementType(dtype ?? util.inferDtype(value));
    // An input and not a constant: the number may be a setting that changes from step to step.
    const data = type === 'float32' ? Float32Array.of(value) : Int32Array.of(value);
    const scalar = graph.fromHost(data, { shape: [], type: type === 'float32' ? type : 'int32' });
    const inputs = [graph.cast(scalar, type), graph.integers(shape)];
    return graph.tensor(graph.add({ operator: operator('Expand'), inputs, shape }));
  }),
  LinSpace: kernel<never, { start: number; stop: number; num: number }>(({ attributes, graph }) => {
    const { start, stop, num } = attributes;
    const step = num > 1 ? (stop - start) / (num - 1) : 0;
    const data = Float32Array.from({ length: num }, (_, i) => start + i * step);
    return graph.tensor(graph.fromHost(data, { shape: [num], type: 'float32' }));
  }),
  OneHot: kernel<'indices', { dtype?: DataType; depth: number; onValue: number; offValue: number }>(
    ({ inputs, attributes: { dtype, depth, onValue, offValue }, graph }) => {
      const type = elementType(dtype ?? 'int32');
      const indices = graph.cast(graph.value(inputs.indices), 'int32');
      const classes = graph.fromHost(
        Int32Array.from({ length: depth }, (_, i) => i),
        { shape: [depth], type: 'int32' },
      );
      const isOn = graph.test(operator('Equal'), [graph.view(indices, [...indices.shape, 1]), classes]);
      if (onValue === 1 && offValue === 0) return graph.tensor(graph.cast(isOn, type));
      const [on, off] = [graph.scalar(onValue, 'float32'), graph.scalar(offValue, 'float32')];
      return graph.tensor(graph.cast(graph.apply(operator('Where'), [isOn, on, off]), type));
    },
  ),
  OnesLike: filledLike(1),
  Range: kernel<never, { start: number; stop: number; step: number; dtype?: DataType }>(
    ({ attributes, graph }) => {
      const { start, stop, dtype } = attributes;
      // As in tfjs the default step of 1 counts down if stop is below start.
      const step = stop < start && attributes.step === 1 ? -1 : attributes.step;
      const count = Math.max(0, Math.ceil((stop - start) / step));
      const type = dtype === 'int32' ? 'int32' : 'float32';
      const numbers = Array.from({ length: count }, (_, i) => start + i * step);
      const data = type === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers);
      return graph.tensor(graph.fromHost(data, { shape: [count], type }));
    },
  ),
  ZerosLike: filledLike(0),
};

function filledLike(value: number): Kernel {
  return kernel<'x'>(({ inputs: { x }, graph }) =>
    graph.tensor(graph.filled(value, { shape: x.shape, type: elementType(x.dtype) })),
  );
}

function elementType(dtype: DataType | undefined): ElementType {
  if (dtype === 'string' || dtype === 'complex64')
    throw new Error(`The onnx backend has no ${dtype} tensors.`);
  return dtype ?? 'float32';
}
