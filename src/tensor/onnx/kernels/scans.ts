import { util } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

interface ScanAttributes {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

interface Shift {
  readonly x: GraphValue;
  readonly axis: number;
  /** Places to move towards the end; negative towards the start. */
  readonly places: number;
}

/** x moved along an axis, with ones where nothing comes from. */
function shifted(graph: GraphRecorder, { x, axis, places }: Shift): GraphValue {
  const length = x.shape[axis] ?? 0;
  const before = x.shape.map((_, i) => (i === axis ? Math.max(0, places) : 0));
  const after = x.shape.map((_, i) => (i === axis ? Math.max(0, -places) : 0));
  const from = Math.max(0, -places);
  const kept = graph.add({
    operator: operator('Slice'),
    inputs: [x, ...[[from], [length - Math.max(0, places)], [axis]].map((values) => graph.integers(values))],
    shape: x.shape.map((size, i) => (i === axis ? size - Math.abs(places) : size)),
  });
  const inputs = [kept, graph.integers([...before, ...after]), graph.scalar(1, x.type)];
  return graph.add({ operator: operator('Pad'), inputs, shape: x.shape });
}

export const scanKernels = {
  // ONNX has no running product: each round multiplies with what lies twice as far away (Hillis and Steele 1986).
  Cumprod: kernel<'x', ScanAttributes>(({ inputs, attributes: { axis, exclusive, reverse }, graph }) => {
    let product = graph.value(inputs.x);
    const [along = 0] = util.parseAxisParam(axis, [...product.shape]);
    const length = product.shape[along] ?? 0;
    const direction = reverse ? -1 : 1;
    if (exclusive && length > 0) product = shifted(graph, { x: product, axis: along, places: direction });
    for (let distance = 1; distance < length; distance *= 2) {
      const earlier = shifted(graph, { x: product, axis: along, places: direction * distance });
      product = graph.apply(operator('Mul'), [product, earlier]);
    }
    return exclusive || length > 1 ? graph.tensor(product) : graph.alias(inputs.x, inputs.x.shape);
  }),
  Cumsum: kernel<'x', ScanAttributes>(({ inputs, attributes: { axis, exclusive, reverse }, graph }) => {
    const x = graph.value(inputs.x);
    const [along = 0] = util.parseAxisParam(axis, [...x.shape]);
    const scan = operator('CumSum', { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 });
    return graph.tensor(graph.add({ operator: scan, inputs: [x, graph.integers([along])], shape: x.shape }));
  }),
};
