import { backend_util } from '@tensorflow/tfjs-core';
import { operator } from '../graph/operator.ts';
import { listKernel } from './kernel.ts';

export const einsumKernels = {
  Einsum: listKernel<{ equation: string }>(({ inputs, attributes: { equation }, graph }) => {
    const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(equation, inputs.length);
    backend_util.checkEinsumDimSizes(allDims.length, idDims, inputs as never); // reads their shapes
    const sizes = new Map<number, number>();
    idDims.forEach((dims, i) => {
      dims.forEach((dim, axis) => void sizes.set(dim, inputs[i]?.shape[axis] ?? 1));
    });
    const kept = allDims.length - summedDims.length;
    const shape = Array.from({ length: kept }, (_, dim) => sizes.get(dim) ?? 1);
    const values = inputs.map((tensor) => graph.value(tensor));
    return graph.tensor(graph.add({ operator: operator('Einsum', { equation }), inputs: values, shape }));
  }),
};
