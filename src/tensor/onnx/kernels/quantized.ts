import type { TensorInfo } from '@tensorflow/tfjs-core';
import { BLOCK } from '../../ops/quantize-weight.ts';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, graphValue, hostArrayOf, operator } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

// What MatMulNBits computes with: accuracy level 4 rounds each block of a row of x to 8 bits as well, and multiplies integers.
const FLOAT_PRODUCTS = 1;
const EIGHT_BIT_PRODUCTS = 4;

/** `zeros` only in 4 bits. */
type Stored = 'bytes' | 'scales' | 'zeros';

interface QuantizedAttributes extends Readonly<Record<'inputs' | 'outputs' | 'bits', number>> {
  /** Whether the rows stay in float32. */
  readonly exact: boolean;
}

/** Kernels of matrices that are stored as blocks of whole numbers with one scale each; see quantize-weight.ts. */
export const quantizedKernels = {
  /** Rows times a matrix; see MatMulNBits of com.microsoft. */
  QuantizedMatMul: kernel<'x' | Stored, QuantizedAttributes>(({ inputs, attributes, graph }) => {
    const x = graph.value(inputs.x);
    const product = operator('MatMulNBits', {
      ...{ K: attributes.inputs, N: attributes.outputs, bits: attributes.bits, block_size: BLOCK },
      accuracy_level: attributes.exact ? FLOAT_PRODUCTS : EIGHT_BIT_PRODUCTS,
    });
    const zeros = attributes.bits === 8 ? [] : [graph.value(inputs.zeros)];
    const factors = [x, asBytes(graph.value(inputs.bytes)), graph.value(inputs.scales), ...zeros];
    const shape = [...x.shape.slice(0, -1), attributes.outputs];
    return graph.tensor(graph.add({ operator: product, inputs: factors, shape }));
  }),

  /** The matrix in float32: [O, I]. */
  DequantizedMatrix: kernel<Stored, QuantizedAttributes>(({ inputs, attributes, graph }) => {
    const { inputs: columns, outputs: rows, bits } = attributes;
    const bytes = graph.cast(asBytes(graph.value(inputs.bytes)), 'float32');
    const numbers = bits === 8 ? bytes : halfBytes(graph, bytes);
    const perBlock = (tensor: TensorInfo) => graph.view(graph.value(tensor), [rows, columns / BLOCK, 1]);
    const zeros = bits === 8 ? graph.scalar(128) : perBlock(inputs.zeros);
    const centered = graph.apply(operator('Sub'), [numbers, zeros]); // [O, blocks, 32]
    const values = graph.apply(operator('Mul'), [centered, perBlock(inputs.scales)]);
    return graph.tensor(graph.view(values, [rows, columns]));
  }),
};

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

const bytesOf = new WeakMap<GraphValue, GraphValue>();

/** The bytes of int32 words, four of each: the last dimension is four times as long. */
function asBytes(words: GraphValue): GraphValue {
  const known = bytesOf.get(words);
  if (known?.weight === words.weight) return known;
  const { buffer, byteOffset, byteLength } = hostArrayOf(words.data);
  const shape = words.shape.map((size, axis) => (axis === words.shape.length - 1 ? 4 * size : size));
  const bytes = graphValue({ shape, type: 'uint8', data: new Uint8Array(buffer, byteOffset, byteLength) });
  bytes.weight = words.weight;
  bytesOf.set(words, bytes);
  return bytes;
}
