import { operator } from '../graph/operator.ts';
import { type Kernel, kernel } from './kernel.ts';

function softmax(type: 'Softmax' | 'LogSoftmax'): Kernel {
  return kernel<'logits', { dim?: number; axis?: number }>(({ inputs, attributes, graph }) => {
    const logits = graph.value(inputs.logits);
    const axis = attributes?.dim ?? attributes?.axis ?? -1;
    return graph.tensor(graph.apply(operator(type, { axis }), [logits]));
  });
}

export const softmaxKernels = { Softmax: softmax('Softmax'), LogSoftmax: softmax('LogSoftmax') };
