import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import {
  type ElementType,
  type GraphValue,
  graphValue,
  type HostArray,
  hostArray,
  hostArrayOf,
  operator,
  sameShape,
  sizeOf,
} from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

// What MatMulNBits computes with: accuracy level 4 rounds each block of a row of x to 8 bits as well, and multiplies integers.
const EIGHT_BIT_PRODUCTS = 4;

type Stored = 'bytes' | 'scales';

type BlockAttributes = Readonly<Record<'inputs' | 'outputs' | 'bits' | 'size' | 'zero', number>>;

/** Kernels of matrices that are stored as blocks of whole numbers with one scale each; see quantize-weight.ts. */
export const quantizedKernels = {
  /**
   * Rows times a matrix; see MatMulNBits of com.microsoft. It takes one zero for all blocks; `offsets`, if there are any, are
   * what the weights of a block have beyond it, so each is multiplied by the sum of the block's inputs.
   */
  QuantizedMatMul: kernel<'x' | Stored | 'offsets', BlockAttributes>(({ inputs, attributes, graph }) => {
    const { inputs: K, outputs: N, bits, size } = attributes;
    const x = graph.value(inputs.x);
    const product = operator('MatMulNBits', {
      ...{ K, N, bits, block_size: size, accuracy_level: EIGHT_BIT_PRODUCTS },
    });
    const shape = [...x.shape.slice(0, -1), N];
    const factors = [x, asBytes(graph.value(inputs.bytes)), graph.value(inputs.scales)];
    const y = graph.add({ operator: product, inputs: factors, shape });
    if (inputs.offsets === undefined) return graph.tensor(y);
    const added = [blockSums(graph, x, size), graph.value(inputs.offsets), y];
    return graph.tensor(graph.add({ operator: operator('Gemm', { transB: 1 }), inputs: added, shape }));
  }),

  /** The matrix in float32: [O, I]. With `again` by other operators. */
  DequantizedMatrix: kernel<Stored | 'minima', BlockAttributes & { readonly again: boolean }>(
    ({ inputs, attributes, graph }) => {
      const { inputs: columns, outputs: rows, size, again } = attributes;
      const numbers = graph.value(inputs.bytes);
      const scales = graph.value(inputs.scales);
      const blocks = columns / size;
      const product = graph.view(scaled(graph, { numbers, scales, attributes, again }), [rows, blocks, size]);
      const values = withMinima(graph, product, inputs.minima);
      return graph.tensor(graph.view(values, [rows, columns]));
    },
  ),

  /** Rows of the matrix in float32: int32 ids [N] -> [N, I]. */
  QuantizedRows: kernel<'ids' | Stored | 'minima', BlockAttributes>(({ inputs, attributes, graph }) => {
    const { inputs: columns, bits, size, zero } = attributes;
    const ids = graph.value(inputs.ids);
    const [count = 0, blocks] = [ids.shape[0], columns / size];
    const rowsOf = (value: GraphValue) =>
      graph.add({
        operator: operator('Gather', { axis: 0 }),
        inputs: [value, ids],
        shape: [count, ...value.shape.slice(1)],
      });
    const bytes = graph.cast(rowsOf(asBytes(graph.value(inputs.bytes))), 'float32');
    const numbers = bits === 8 ? bytes : halfBytes(graph, bytes); // [N, blocks, size]
    const perBlock = (tensor: TensorInfo) => graph.view(rowsOf(graph.value(tensor)), [count, blocks, 1]);
    const values = graph.apply(operator('Mul'), [centered(graph, numbers, zero), perBlock(inputs.scales)]);
    const sums = inputs.minima ? graph.apply(operator('Add'), [values, perBlock(inputs.minima)]) : values;
    return graph.tensor(graph.view(sums, [count, columns]));
  }),
};

const DEQUANTIZE = 'DequantizeLinear';

interface Scaled {
  readonly numbers: GraphValue;
  readonly scales: GraphValue;
  readonly attributes: BlockAttributes;
}

/** scale (number - zero), as [O, I] in blocks or, with `again`, as a matrix with a row for each block. */
function scaled(
  graph: GraphRecorder,
  { numbers, scales, attributes, again }: Scaled & { readonly again: boolean },
): GraphValue {
  const { inputs: columns, outputs: rows, bits, size, zero } = attributes;
  const dequantize = operator(DEQUANTIZE, again ? { axis: 0 } : { axis: 1, block_size: size });
  if (!graph.has(dequantize)) return composed(graph, { numbers, scales, attributes });
  const type = bits === 8 ? 'uint8' : 'uint4';
  const shape = again ? [sizeOf(scales.shape), size] : [rows, columns];
  const ownScales = again ? graph.view(scales, [sizeOf(scales.shape)]) : scales;
  const zeros = zero === 0 ? [] : [zerosFor(scales, { type, shape: ownScales.shape, zero })];
  const given = [elements(numbers, { type, shape }), ownScales, ...zeros];
  return graph.add({ operator: dequantize, inputs: given, shape, type: 'float32' });
}

/** The same without that operator. */
function composed(graph: GraphRecorder, { numbers, scales, attributes }: Scaled): GraphValue {
  const bytes = graph.cast(asBytes(numbers), 'float32');
  const plain = attributes.bits === 8 ? bytes : halfBytes(graph, bytes);
  const perBlock = graph.view(scales, [...scales.shape, 1]);
  return graph.apply(operator('Mul'), [centered(graph, plain, attributes.zero), perBlock]);
}

const centered = (graph: GraphRecorder, numbers: GraphValue, zero: number): GraphValue =>
  zero === 0 ? numbers : graph.apply(operator('Sub'), [numbers, graph.scalar(zero)]);

function withMinima(graph: GraphRecorder, values: GraphValue, minima: TensorInfo | undefined): GraphValue {
  if (minima === undefined) return values;
  const [rows = 0, blocks = 0] = minima.shape;
  return graph.apply(operator('Add'), [values, graph.view(graph.value(minima), [rows, blocks, 1])]);
}

/** The two numbers of each byte, the lower first: [..., n] -> [..., 2 n]. */
function halfBytes(graph: GraphRecorder, bytes: GraphValue): GraphValue {
  const upper = graph.apply(operator('Floor'), [graph.apply(operator('Mul'), [bytes, graph.scalar(1 / 16)])]);
  const above = graph.apply(operator('Mul'), [upper, graph.scalar(16)]);
  const lower = graph.apply(operator('Sub'), [bytes, above]);
  const [pairs, size] = [bytes.shape.slice(0, -1), bytes.shape.at(-1) ?? 0];
  const parts = [lower, upper].map((part) => graph.view(part, [...pairs, size, 1]));
  const joined = graph.add({
    operator: operator('Concat', { axis: pairs.length + 1 }),
    inputs: parts,
    shape: [...pairs, size, 2],
  });
  return graph.view(joined, [...pairs, 2 * size]);
}

const sumsOf = new WeakMap<GraphValue, GraphValue>();

/** The sums of consecutive elements of rows, `size` each: [N, I] -> [N, I / size]. Several matrices may share them. */
function blockSums(graph: GraphRecorder, x: GraphValue, size: number): GraphValue {
  const [rows = 0, columns = 0] = x.shape;
  const blocks = columns / size;
  const known = sumsOf.get(x);
  // Of rows that are computed already, the sums may be gone with the graph that they were in.
  if (known !== undefined && x.data === null && known.shape[1] === blocks) return known;
  // A product: how ReduceSum adds up a row depends on where the row is in memory.
  const sums = graph.add({
    operator: operator('MatMul'),
    inputs: [graph.view(x, [rows * blocks, size]), onesFor(size)],
    shape: [rows * blocks, 1],
  });
  const shaped = graph.view(sums, [rows, blocks]);
  sumsOf.set(x, shaped);
  return shaped;
}

const ones = new Map<number, GraphValue>();

/** A constant of the graph: [size, 1]. */
function onesFor(size: number): GraphValue {
  const known = ones.get(size);
  if (known !== undefined) return known;
  const data = hostArray('float32', size, 1);
  const made = graphValue({ shape: [size, 1], type: 'float32', data, constant: `ones ${size}` });
  ones.set(size, made);
  return made;
}

/** The bytes of int32 words, four of each: the last dimension is four times as long. */
function asBytes(words: GraphValue): GraphValue {
  const shape = words.shape.map((size, axis) => (axis === words.shape.length - 1 ? 4 * size : size));
  return elements(words, { type: 'uint8', shape });
}

/** The whole numbers in int32 words. */
function elements(words: GraphValue, spec: Spec): GraphValue {
  return derived(words, spec, () => {
    const { buffer, byteOffset, byteLength } = hostArrayOf(words.data);
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
}

/** A zero for each scale. */
const zerosFor = (scales: GraphValue, { zero, ...spec }: Spec & { readonly zero: number }): GraphValue =>
  derived(scales, spec, () => hostArray(spec.type, sizeOf(spec.shape), zero));

interface Spec {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

const derivedFrom = new WeakMap<GraphValue, GraphValue[]>();

/** A value that is made on the host, once, and is constant if the one that it belongs to is. */
function derived(from: GraphValue, { type, shape }: Spec, make: () => HostArray): GraphValue {
  const all = derivedFrom.get(from) ?? [];
  derivedFrom.set(from, all);
  const known = all.find((value) => value.type === type && sameShape(value.shape, shape));
  const value = known ?? graphValue({ shape, type, data: make() });
  value.weight = from.weight;
  if (known === undefined) all.push(value);
  return value;
}
