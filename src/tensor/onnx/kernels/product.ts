import { productPrecision } from '../../ops/product-precision.ts';
import { broadcastShape } from '../graph/broadcast-shape.ts';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import {
  type GraphValue,
  graphValue,
  HALF_TYPES,
  type HalfType,
  operator,
  sizeOf,
} from '../graph/graph-value.ts';
import { sliceOf, transposed } from './shape.ts';

export interface Product {
  readonly a: GraphValue;
  readonly b: GraphValue;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** A factor of the product, applied inside the matrix multiplication. */
  readonly scale?: number | undefined;
}

/** The product of two (batches of) matrices of any rank from 2 up, floats in the precision asked for now. */
export function matMul(graph: GraphRecorder, product: Product): GraphValue {
  const { a, transposeA } = product;
  const shape = productShape(product);
  const inner = a.shape.at(transposeA ? -2 : -1);
  if (inner === 0) return graph.filled(0, { shape, type: a.type });
  if (a.type !== 'float32') return integerProduct(graph, { ...product, shape });
  const precision = productPrecision();
  return precision === 'float32'
    ? floatProduct(graph, { ...product, shape })
    : halfProduct(graph, { ...product, type: HALF_TYPES[precision] });
}

interface ShapedProduct extends Product {
  /** That of the result. */
  readonly shape: readonly number[];
}

/**
 * Both factors are rounded, and the result is float32 again. The scale comes first: unscaled products might overflow. An engine
 * that adds up in half precision gets short sums, which are added up in float32.
 */
export function halfProduct(
  graph: GraphRecorder,
  { type, scale = 1, ...product }: Product & { readonly type: HalfType },
): GraphValue {
  const { transposeA, transposeB } = product;
  const isFirstSmaller = sizeOf(product.a.shape) <= sizeOf(product.b.shape);
  const rounded = (x: GraphValue, isScaled: boolean) =>
    graph.half(isScaled && scale !== 1 ? graph.apply(MUL, [x, graph.scalar(scale)]) : x, type);
  const factors = {
    a: { x: rounded(product.a, isFirstSmaller), axis: product.a.shape.length - (transposeA ? 2 : 1) },
    b: { x: rounded(product.b, !isFirstSmaller), axis: product.b.shape.length - (transposeB ? 1 : 2) },
  };
  const shape = productShape(product);
  const ofPart = (part: Part) => {
    const [a, b] = [partAlong(graph, { ...factors.a, part }), partAlong(graph, { ...factors.b, part })];
    return graph.cast(floatProduct(graph, { ...product, a, b, shape }), 'float32');
  };
  const [first, ...rest] = partsOf(factors.a.x.shape[factors.a.axis] ?? 0, graph.longestHalfSum);
  return rest.reduce((sum, part) => graph.apply(ADD, [sum, ofPart(part)]), ofPart(first));
}

interface Part {
  readonly from: number;
  readonly to: number;
}

/** Equal parts of at most `longest`, multiples of 4 but for the last: the kernels for those are faster. */
function partsOf(length: number, longest: number): [Part, ...Part[]] {
  const size = 4 * Math.ceil(length / Math.max(1, Math.ceil(length / longest)) / 4);
  const count = Math.ceil(length / size);
  const part = (i: number) => ({ from: i * size, to: Math.min(length, (i + 1) * size) });
  return [part(0), ...Array.from({ length: count - 1 }, (_, i) => part(i + 1))];
}

function partAlong(
  graph: GraphRecorder,
  { x, axis, part: { from, to } }: { readonly x: GraphValue; readonly axis: number; readonly part: Part },
): GraphValue {
  const all = (value: number) => x.shape.map(() => value);
  const [begin, end, shape] = [
    all(0).with(axis, from),
    x.shape.with(axis, to),
    x.shape.with(axis, to - from),
  ];
  return sliceOf(graph, { x, begin, end, strides: all(1), shape });
}

/** Of factors that are both of one type. */
function floatProduct(graph: GraphRecorder, product: ShapedProduct): GraphValue {
  const { a, b, transposeA, transposeB, scale = 1, shape } = product;
  const flags = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0, alpha: scale };
  if (a.shape.length === 2 && b.shape.length === 2) {
    return graph.add({ operator: operator('Gemm', flags), inputs: [a, b], shape });
  }
  const isPlain = !transposeA && !transposeB && scale === 1;
  if (isPlain) return graph.add({ operator: MAT_MUL, inputs: [a, b], shape });
  const fused = operator('FusedMatMul', flags);
  return graph.has(fused)
    ? graph.add({ operator: fused, inputs: [a, b], shape })
    : scaledProduct(graph, product);
}

const MAT_MUL = operator('MatMul');
const ADD = operator('Add');
const MUL = operator('Mul');

/** For an engine without FusedMatMul. */
function scaledProduct(
  graph: GraphRecorder,
  { a, b, transposeA, transposeB, scale = 1, shape }: ShapedProduct,
): GraphValue {
  const inputs = [
    transposeA ? withLastTwoSwapped(graph, a) : a,
    transposeB ? withLastTwoSwapped(graph, b) : b,
  ];
  const value = graph.add({ operator: MAT_MUL, inputs, shape });
  return scale === 1 ? value : graph.apply(MUL, [value, graph.scalar(scale)]);
}

/** Only MatMul takes integers; bools are multiplied as integers. */
function integerProduct(
  graph: GraphRecorder,
  { a, b, transposeA, transposeB, shape }: ShapedProduct,
): GraphValue {
  const factors = [
    transposeA ? withLastTwoSwapped(graph, a) : a,
    transposeB ? withLastTwoSwapped(graph, b) : b,
  ];
  const inputs = factors.map((value) => graph.cast(value, 'int32'));
  return graph.cast(graph.add({ operator: MAT_MUL, inputs, shape }), a.type);
}

function withLastTwoSwapped(graph: GraphRecorder, x: GraphValue): GraphValue {
  const rank = x.shape.length;
  const perm = x.shape.map((_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return transposed(graph, { x, perm });
}

export function productShape({ a, b, transposeA, transposeB }: Product): number[] {
  const [innerA, innerB] = [a.shape.at(transposeA ? -2 : -1), b.shape.at(transposeB ? -1 : -2)];
  if (innerA === undefined || innerA !== innerB)
    throw new Error(`Tensors of the shapes [${a.shape}] and [${b.shape}] have no matrix product.`);
  const outer = [a, b].map(({ shape, type }) => graphValue({ shape: shape.slice(0, -2), type }));
  const rows = a.shape.at(transposeA ? -1 : -2) ?? 0;
  const columns = b.shape.at(transposeB ? -2 : -1) ?? 0;
  return [...broadcastShape(outer), rows, columns];
}
