import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { AdamWSettings } from '../../ops/adam-w.ts';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, isOnDevice, operator } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

const [ADD, SUB, MUL, DIV, SQRT] = ['Add', 'Sub', 'Mul', 'Div', 'Sqrt'].map((type) => operator(type)) as [
  ...[ReturnType<typeof operator>, ReturnType<typeof operator>, ReturnType<typeof operator>],
  ...[ReturnType<typeof operator>, ReturnType<typeof operator>],
]; // one for each name

type Inputs = 'parameter' | 'gradient' | 'firstMoment' | 'secondMoment';

/** Kernels of a device, which keeps parameters and moments there. */
export const deviceKernels = {
  /** The formula of `adamWStep` in ops/adam-w.ts. The settings are inputs: they change with the step. */
  AdamWStep: kernel<Inputs, AdamWSettings>(({ inputs, attributes, graph }) => {
    const { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale = 1 } = attributes;
    const apply = (type: typeof ADD, a: GraphValue, b: GraphValue) => graph.apply(type, [a, b]);
    const scaled = (x: GraphValue, factor: number) => apply(MUL, x, graph.number(factor));
    const gradient = scaled(graph.value(inputs.gradient), gradientScale);
    const first = apply(ADD, scaled(graph.value(inputs.firstMoment), beta1), scaled(gradient, 1 - beta1));
    const square = apply(MUL, gradient, gradient);
    const second = apply(ADD, scaled(graph.value(inputs.secondMoment), beta2), scaled(square, 1 - beta2));
    const root = scaled(graph.apply(SQRT, [second]), 1 / Math.sqrt(1 - beta2 ** step));
    const change = scaled(
      apply(DIV, first, apply(ADD, root, graph.number(epsilon))),
      learningRate / (1 - beta1 ** step),
    );
    const decayed = scaled(graph.value(inputs.parameter), 1 - learningRate * weightDecay);
    replace(graph, inputs.parameter, apply(SUB, decayed, change));
    replace(graph, inputs.firstMoment, first);
    replace(graph, inputs.secondMoment, second);
    return [];
  }),
};

/** Gives a tensor a value that is written into the same memory, if it has been computed: its last reader comes before. */
function replace(graph: GraphRecorder, tensor: TensorInfo, value: GraphValue): void {
  const before = graph.value(tensor);
  if (isOnDevice(before.data)) value.overwrites = before;
  graph.replace(tensor, value);
}
