import { util } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

export const scanKernels = {
  // ONNX has no running product: each round multiplies with elements twice as far away (Hillis and Steele 1986).
  Cumprod: kernel<'x', ScanAttributes>(({ inputs, attributes: { axis, exclusive, reverse }, graph }) => {
    let product = graph.value(inputs.x);
    const [along = 0] = util.parseAxisParam(axis, [...product.shape]);
    const length = product.shape[along] ?? 0;
    const direction = reverse ? -1 : 1;
    if (exclusive && length > 0) product = shifted(graph, { x: product, axis: along, by: direction });
    for (let distance = 1; distance < length; distance *= 2) {
      const earlier = shifted(graph, { x: product, axis: along, by: direction * distance });
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

interface ScanAttributes {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/** x shifted along an axis towards the end (towards the start if `by` is negative), filled up with ones. */
function shifted(
  graph: GraphRecorder,
  { x, axis, by }: { readonly x: GraphValue; readonly axis: number; readonly by: number },
): GraphValue {
  const length = x.shape[axis] ?? 0;
  const before = x.shape.map((_, i) => (i === axis ? Math.max(0, by) : 0));
  const after = x.shape.map((_, i) => (i === axis ? Math.max(0, -by) : 0));
  const from = Math.max(0, -by);
  const kept = graph.add({
    operator: operator('Slice'),
    inputs: [x, ...[[from], [length - Math.max(0, by)], [axis]].map((values) => graph.integers(values))],
    shape: x.shape.map((size, i) => (i === axis ? size - Math.abs(by) : size)),
  });
  const inputs = [kept, graph.integers([...before, ...after]), graph.scalar(1, x.type)];
  return graph.add({ operator: operator('Pad'), inputs, shape: x.shape });
}
