import { util } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator, sizeOf } from '../graph/graph-value.ts';
import { type Kernel, kernel } from './kernel.ts';

export const reductionKernels = {
  All: logicalReduction({ type: 'ReduceMin', ofEmpty: 1 }),
  Any: logicalReduction({ type: 'ReduceMax', ofEmpty: 0 }),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
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
  Max: extreme({ type: 'ReduceMax', ofEmpty: Number.NEGATIVE_INFINITY }),
  // The mean of integers is a float, as in tfjs.
  Mean: kernel<'x', ReductionAttributes>(({ inputs, attributes, graph }) => {
    const x = graph.cast(graph.value(inputs.x), 'float32');
    return graph.tensor(reduce(graph, { type: 'ReduceMean', ofEmpty: Number.NaN, x, attributes }));
  }),
  Min: extreme({ type: 'ReduceMin', ofEmpty: Number.POSITIVE_INFINITY }),
  Prod: reduction({ type: 'ReduceProd', ofEmpty: 1 }),
  Sum: reduction({ type: 'ReduceSum', ofEmpty: 0 }),
};

interface Reduction {
  readonly type: string;
  /** The value of a reduction over no elements. */
  readonly ofEmpty: number;
}

interface ReductionAttributes {
  readonly axis?: number | number[];
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}

function reduce(
  graph: GraphRecorder,
  {
    type,
    ofEmpty,
    x,
    attributes,
  }: Reduction & { readonly x: GraphValue; readonly attributes: ReductionAttributes },
): GraphValue {
  const { axis, reductionIndices, keepDims = false } = attributes;
  const axes = axesOf(axis ?? reductionIndices, x.shape);
  const shape = x.shape
    .map((size, i) => (axes.includes(i) ? 1 : size))
    .filter((_, i) => keepDims || !axes.includes(i));
  if (sizeOf(x.shape) === 0) return graph.filled(ofEmpty, { shape, type: x.type });
  // Without axes ONNX would reduce over all of them; tfjs means none.
  if (axes.length === 0) return graph.view(x, shape);
  const keepdims = keepDims ? 1 : 0;
  return graph.add({ operator: operator(type, { keepdims }), inputs: [x, graph.integers(axes)], shape });
}

function axesOf(axis: number | number[] | undefined, shape: readonly number[]): number[] {
  return util.parseAxisParam(axis ?? [...shape.keys()], [...shape]);
}

function reduction(settings: Reduction): Kernel {
  return kernel<'x', ReductionAttributes>(({ inputs, attributes, graph }) =>
    graph.tensor(reduce(graph, { ...settings, x: graph.value(inputs.x), attributes })),
  );
}

/** The largest or smallest element; NaN if any element is, which ONNX Runtime ignores. */
function extreme(settings: Reduction): Kernel {
  return kernel<'x', ReductionAttributes>(({ inputs, attributes, graph }) => {
    const x = graph.value(inputs.x);
    if (x.type === 'bool') {
      const found = reduce(graph, { ...settings, x: graph.cast(x, 'int32'), attributes });
      return graph.tensor(graph.cast(found, 'bool'));
    }
    const found = reduce(graph, { ...settings, x, attributes });
    if (x.type !== 'float32' || sizeOf(x.shape) === 0) return graph.tensor(found);
    const marks = graph.cast(graph.test(operator('IsNaN'), [x]), 'float32');
    const mark = reduce(graph, { type: 'ReduceMax', ofEmpty: 0, x: marks, attributes });
    const nan = graph.scalar(Number.NaN);
    return graph.tensor(graph.apply(operator('Where'), [graph.cast(mark, 'bool'), nan, found]));
  });
}

/** A reduction of bools, computed on integers. */
function logicalReduction(settings: Reduction): Kernel {
  return kernel<'x', ReductionAttributes>(({ inputs, attributes, graph }) => {
    const x = graph.cast(graph.value(inputs.x), 'int32');
    return graph.tensor(graph.cast(reduce(graph, { ...settings, x, attributes }), 'bool'));
  });
}

/** The index of the largest or smallest element, the first among equals. NaN is ignored, as in tfjs. */
function argument(type: 'ArgMax' | 'ArgMin'): Kernel {
  return kernel<'x', { axis: number | number[] }>(({ inputs, attributes, graph }) => {
    const value = graph.value(inputs.x);
    const x = comparable(graph, {
      value,
      last: type === 'ArgMax' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
    });
    const [axis = 0] = axesOf(attributes.axis, x.shape);
    const shape = x.shape.filter((_, i) => i !== axis);
    const found = graph.add({
      operator: operator(type, { axis, keepdims: 0 }),
      inputs: [x],
      shape,
      type: 'int64',
    });
    return graph.tensor(graph.cast(found, 'int32'));
  });
}

/** Bools as integers, and `last` in place of NaN, for which ONNX Runtime's answer depends on the position. */
function comparable(
  graph: GraphRecorder,
  { value, last }: { readonly value: GraphValue; readonly last: number },
): GraphValue {
  if (value.type === 'bool') return graph.cast(value, 'int32');
  if (value.type !== 'float32') return value;
  const isMissing = graph.test(operator('IsNaN'), [value]);
  return graph.apply(operator('Where'), [isMissing, graph.scalar(last), value]);
}

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
