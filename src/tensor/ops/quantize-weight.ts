/** How many bits a weight takes; `int4` packs two in a byte. */
export type WeightBits = 4 | 8;

/** The size of the blocks that weights are rounded in. */
const BLOCK = 32;

export interface MatrixToQuantize {
  readonly data: Float32Array;
  /** I, the dimension that a product sums over. */
  readonly inputs: number;
  /** O */
  readonly outputs: number;
  /** The matrix is [O, I], not [I, O]. */
  readonly transposed: boolean;
}

/** A matrix as whole numbers in blocks along the summed dimension: weight = scale (number - zero) + minimum. */
export interface QuantizedMatrix {
  readonly bits: WeightBits;
  /** Consecutive weights that share a scale. */
  readonly size: 16 | 32;
  /** [O, ceil(I / size), size] whole numbers of `bits` bits each; of two in a byte the first is the lower. */
  readonly bytes: Uint8Array;
  readonly zero: number;
  /** [O, ceil(I / size)] */
  readonly scales: Float32Array;
  /** [O, ceil(I / size)]; undefined if all are 0. */
  readonly minima: Float32Array | undefined;
}

/**
 * Rounds a matrix to 8 or 4 bits. In 8 bits each block is symmetric around 0 and its largest weight keeps its value, as in
 * GGUF's Q8_0. In 4 bits a block takes the better of two grids: that of Q4_0, in which the weight furthest from 0 keeps its
 * value, or that of Q4_1, from the least weight to the greatest. So weights that were read from these formats keep their
 * values, those of Q4_1 up to rounding. Where the last block of a row is not whole, every block takes the first.
 */
export function quantizeWeight(
  { data, inputs, outputs, transposed }: MatrixToQuantize,
  bits: WeightBits,
): QuantizedMatrix {
  const blocks = Math.ceil(inputs / BLOCK);
  const middle = 2 ** (bits - 1);
  const gridOf = bits === 8 ? symmetricGrid : inputs % BLOCK === 0 ? fourBitGrid : centeredGrid;
  const numbers = new Uint8Array(outputs * blocks * BLOCK).fill(middle);
  const scales = new Float32Array(outputs * blocks);
  const minima = new Float32Array(outputs * blocks);
  const [step, stride] = transposed ? [1, inputs] : [outputs, 1]; // between inputs, and between outputs
  const values = new Float32Array(BLOCK);
  for (let output = 0; output < outputs; output++)
    for (let block = 0; block < blocks; block++) {
      const start = block * BLOCK;
      const count = Math.min(BLOCK, inputs - start);
      for (let place = 0; place < count; place++)
        values[place] = data[output * stride + (start + place) * step] ?? 0;
      const given = values.subarray(0, count);
      const index = output * blocks + block;
      const grid = gridOf(given);
      scales[index] = grid.scale;
      minima[index] = grid.scale * (middle - grid.zero);
      if (grid.scale === 0) continue;
      for (let place = 0; place < count; place++)
        numbers[index * BLOCK + place] = numberOn(grid, { value: given[place] ?? 0, most: 2 ** bits - 1 });
    }
  const bytes = bits === 8 ? numbers : inHalfBytes(numbers);
  const isCentered = minima.every((minimum) => minimum === 0);
  return { bits, size: BLOCK, bytes, zero: middle, scales, minima: isCentered ? undefined : minima };
}

/** A weight is scale (number - zero). */
interface Grid {
  readonly scale: number;
  readonly zero: number;
}

function numberOn({ scale, zero }: Grid, { value, most }: { readonly value: number; readonly most: number }) {
  return Math.max(0, Math.min(most, Math.round(value / scale + zero)));
}

function symmetricGrid(values: Float32Array): Grid {
  return { scale: Math.fround(Math.abs(furthest(values)) / 127), zero: 128 };
}

const furthest = (values: Float32Array): number =>
  values.reduce((far, value) => (Math.abs(value) > Math.abs(far) ? value : far), 0);

const centeredGrid = (values: Float32Array): Grid => ({
  scale: Math.fround(furthest(values) / -8),
  zero: 8,
});

function fourBitGrid(values: Float32Array): Grid {
  const centered = centeredGrid(values);
  const least = values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const greatest = values.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
  const scale = Math.fround((greatest - least) / 15);
  if (scale === 0) return centered;
  const shifted = { scale, zero: -least / scale };
  return errorOn(shifted, values) < errorOn(centered, values) ? shifted : centered;
}

/** The sum of squared differences. */
function errorOn(grid: Grid, values: Float32Array): number {
  let sum = 0;
  for (const value of values) {
    const difference = grid.scale * (numberOn(grid, { value, most: 15 }) - grid.zero) - value;
    sum += difference * difference;
  }
  return sum;
}

function inHalfBytes(numbers: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(numbers.length / 2);
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = (numbers[2 * index] ?? 0) + 16 * (numbers[2 * index + 1] ?? 0);
  return bytes;
}

/** The matrix that the blocks encode, in the layout that `transposed` names. */
export function dequantizeWeight(
  { bits, size, bytes, zero, scales, minima }: QuantizedMatrix,
  { inputs, outputs, transposed }: Omit<MatrixToQuantize, 'data'>,
): Float32Array {
  const data = new Float32Array(inputs * outputs);
  const blocks = Math.ceil(inputs / size);
  const [step, stride] = transposed ? [1, inputs] : [outputs, 1];
  for (let output = 0; output < outputs; output++)
    for (let input = 0; input < inputs; input++) {
      const block = output * blocks + Math.floor(input / size);
      const place = block * size + (input % size);
      const byte = (bits === 8 ? bytes[place] : bytes[place >> 1]) ?? 0;
      const number = bits === 8 ? byte : place % 2 === 0 ? byte % 16 : byte >> 4;
      const scaled = (scales[block] ?? 0) * (number - zero);
      data[output * stride + input * step] = minima === undefined ? scaled : scaled + (minima[block] ?? 0);
    }
  return data;
}
