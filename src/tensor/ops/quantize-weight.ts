/** How many bits a weight takes; `int4` packs two in a byte. */
export type WeightBits = 4 | 8;

/** Consecutive weights along the summed dimension that share one scale. */
export const BLOCK = 32;

export interface MatrixToQuantize {
  readonly data: Float32Array;
  /** I, the dimension that a product sums over. */
  readonly inputs: number;
  /** O */
  readonly outputs: number;
  /** The matrix is [O, I], not [I, O]. */
  readonly transposed: boolean;
}

interface QuantizedMatrix {
  /** [O, ceil(I / BLOCK), BLOCK] whole numbers from 0, of `bits` bits each; of two in a byte the first is the lower. */
  readonly bytes: Uint8Array;
  /** [O, ceil(I / BLOCK)]; a weight is its scale times (its number - 2^(bits - 1)). */
  readonly scales: Float32Array;
}

/**
 * Rounds a matrix to 8 or 4 bits, so that the largest weight of each block keeps its value: in 8 bits symmetrically around 0,
 * as GGUF's Q8_0; in 4 bits the largest becomes the number 0, as in Q4_0. Weights that were read from these formats stay
 * as they are.
 */
export function quantizeWeight(
  { data, inputs, outputs, transposed }: MatrixToQuantize,
  bits: WeightBits,
): QuantizedMatrix {
  const blocks = Math.ceil(inputs / BLOCK);
  const zero = 2 ** (bits - 1);
  const numbers = new Uint8Array(outputs * blocks * BLOCK).fill(zero);
  const scales = new Float32Array(outputs * blocks);
  const [step, stride] = transposed ? [1, inputs] : [outputs, 1]; // between inputs, and between outputs
  for (let output = 0; output < outputs; output++)
    for (let block = 0; block < blocks; block++) {
      const start = block * BLOCK;
      const end = Math.min(start + BLOCK, inputs);
      let largest = 0;
      for (let input = start; input < end; input++) {
        const value = data[output * stride + input * step] ?? 0;
        if (Math.abs(value) > Math.abs(largest)) largest = value;
      }
      const index = output * blocks + block;
      const scale = Math.fround(bits === 8 ? Math.abs(largest) / (zero - 1) : largest / -zero);
      scales[index] = scale;
      if (scale === 0) continue;
      for (let input = start; input < end; input++) {
        const value = data[output * stride + input * step] ?? 0;
        numbers[index * BLOCK + input - start] = Math.min(Math.round(value / scale) + zero, 2 ** bits - 1);
      }
    }
  return { bytes: bits === 8 ? numbers : inHalfBytes(numbers), scales };
}

function inHalfBytes(numbers: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(numbers.length / 2);
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = (numbers[2 * index] ?? 0) + 16 * (numbers[2 * index + 1] ?? 0);
  return bytes;
}

/** The matrix that the bytes encode, in the layout that `transposed` names. */
export function dequantizeWeight(
  { bytes, scales }: QuantizedMatrix,
  {
    inputs,
    outputs,
    transposed,
    bits = 8,
  }: Omit<MatrixToQuantize, 'data'> & { readonly bits?: WeightBits | undefined },
): Float32Array {
  const data = new Float32Array(inputs * outputs);
  const blocks = Math.ceil(inputs / BLOCK);
  const zero = 2 ** (bits - 1);
  const [step, stride] = transposed ? [1, inputs] : [outputs, 1];
  for (let output = 0; output < outputs; output++)
    for (let input = 0; input < inputs; input++) {
      const block = output * blocks + Math.floor(input / BLOCK);
      const place = block * BLOCK + (input % BLOCK);
      const byte = (bits === 8 ? bytes[place] : bytes[place >> 1]) ?? 0;
      const number = bits === 8 ? byte : place % 2 === 0 ? byte % 16 : byte >> 4;
      data[output * stride + input * step] = (number - zero) * (scales[block] ?? 0);
    }
  return data;
}
