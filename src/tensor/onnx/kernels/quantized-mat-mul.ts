import { type GraphValue, graphValue, operator } from '../graph/graph-value.ts';
import { kernel } from './kernel.ts';

type Attributes = Readonly<Record<'inputs' | 'outputs' | 'block', number>>;

// Rounds each block of a row of x to 8 bits as well, and multiplies integers.
const EIGHT_BIT_PRODUCTS = 4;

export const quantizedKernels = {
  /** Rows times a matrix stored as blocks of bytes, one scale each; see MatMulNBits of com.microsoft. */
  QuantizedMatMul: kernel<'x' | 'bytes' | 'scales', Attributes>(({ inputs, attributes, graph }) => {
    const x = graph.value(inputs.x);
    const product = operator('MatMulNBits', {
      ...{ K: attributes.inputs, N: attributes.outputs, bits: 8, block_size: attributes.block },
      accuracy_level: EIGHT_BIT_PRODUCTS,
    });
    const factors = [x, asBytes(graph.value(inputs.bytes)), graph.value(inputs.scales)];
    const shape = [...x.shape.slice(0, -1), attributes.outputs];
    return graph.tensor(graph.add({ operator: product, inputs: factors, shape }));
  }),
};

const bytesOf = new WeakMap<GraphValue, GraphValue>();

/** The bytes of int32 words, four of each: the last dimension is four times as long. */
function asBytes(words: GraphValue): GraphValue {
  const known = bytesOf.get(words);
  if (known?.weight === words.weight) return known;
  if (words.data === null) throw new Error('Quantized weights are used before they are computed.');
  const { buffer, byteOffset, byteLength } = words.data;
  const shape = words.shape.map((size, axis) => (axis === words.shape.length - 1 ? 4 * size : size));
  const bytes = graphValue({ shape, type: 'uint8', data: new Uint8Array(buffer, byteOffset, byteLength) });
  bytes.weight = words.weight;
  bytesOf.set(words, bytes);
  return bytes;
}
