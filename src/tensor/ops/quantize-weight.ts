/** Weights of a product that share a scale: so many along the dimension that is summed over. */
export const BLOCK = 32;

/** The byte of a weight of 0. */
const ZERO = 128;
const LARGEST = 127;

export interface MatrixToQuantize {
  readonly data: Float32Array;
  /** Extent of the dimension that a product sums over, I. */
  readonly inputs: number;
  /** O */
  readonly outputs: number;
  /** The matrix is [O, I], not [I, O]. */
  readonly transposed: boolean;
}

export interface QuantizedMatrix {
  /** [O, ceil(I / BLOCK), BLOCK], each the weight / scale, rounded, + 128 */
  readonly bytes: Uint8Array;
  /** [O, ceil(I / BLOCK)] */
  readonly scales: Float32Array;
}

/** Rounds a matrix to 8 bits, symmetrically, so that the largest of each block keeps its value. */
export function quantizeWeight({ data, inputs, outputs, transposed }: MatrixToQuantize): QuantizedMatrix {
  const blocks = Math.ceil(inputs / BLOCK);
  const bytes = new Uint8Array(outputs * blocks * BLOCK).fill(ZERO);
  const scales = new Float32Array(outputs * blocks);
  const [step, stride] = transposed ? [1, inputs] : [outputs, 1]; // between inputs, and between outputs
  for (let output = 0; output < outputs; output++)
    for (let block = 0; block < blocks; block++) {
      const start = block * BLOCK;
      const end = Math.min(start + BLOCK, inputs);
      let largest = 0;
      for (let input = start; input < end; input++)
        largest = Math.max(largest, Math.abs(data[output * stride + input * step] ?? 0));
      const place = output * blocks + block;
      const scale = Math.fround(largest / LARGEST);
      scales[place] = scale;
      if (scale === 0) continue;
      for (let input = start; input < end; input++)
        bytes[place * BLOCK + input - start] =
          Math.round((data[output * stride + input * step] ?? 0) / scale) + ZERO;
    }
  return { bytes, scales };
}

/** The matrix that the bytes stand for, in the order of the one that was rounded. */
export function dequantizeWeight(
  { bytes, scales }: QuantizedMatrix,
  { inputs, outputs, transposed }: Omit<MatrixToQuantize, 'data'>,
): Float32Array {
  const data = new Float32Array(inputs * outputs);
  const blocks = Math.ceil(inputs / BLOCK);
  const [step, stride] = transposed ? [1, inputs] : [outputs, 1];
  for (let output = 0; output < outputs; output++)
    for (let input = 0; input < inputs; input++) {
      const block = output * blocks + Math.floor(input / BLOCK);
      const byte = bytes[block * BLOCK + (input % BLOCK)] ?? ZERO;
      data[output * stride + input * step] = (byte - ZERO) * (scales[block] ?? 0);
    }
  return data;
}
