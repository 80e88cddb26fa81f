import { decodeBfloat16, decodeFloat16, decodeHalf } from '../safetensors/floats.ts';

/** Tensor formats -> their number in the file, and the values and bytes of a block. */
export const tensorFormats = {
  F32: { id: 0, values: 1, bytes: 4 },
  F16: { id: 1, values: 1, bytes: 2 },
  Q4_0: { id: 2, values: 32, bytes: 18 },
  Q4_1: { id: 3, values: 32, bytes: 20 },
  Q5_0: { id: 6, values: 32, bytes: 22 },
  Q5_1: { id: 7, values: 32, bytes: 24 },
  Q8_0: { id: 8, values: 32, bytes: 34 },
  Q2_K: { id: 10, values: 256, bytes: 84 },
  Q3_K: { id: 11, values: 256, bytes: 110 },
  Q4_K: { id: 12, values: 256, bytes: 144 },
  Q5_K: { id: 13, values: 256, bytes: 176 },
  Q6_K: { id: 14, values: 256, bytes: 210 },
  IQ4_NL: { id: 20, values: 32, bytes: 18 },
  IQ4_XS: { id: 23, values: 256, bytes: 136 },
  BF16: { id: 30, values: 1, bytes: 2 },
} as const;

export type TensorFormat = keyof typeof tensorFormats;

export const tensorFormatNames = Object.keys(tensorFormats) as readonly TensorFormat[]; // the table's own keys

export const tensorFormatOf = (id: number): TensorFormat | undefined =>
  tensorFormatNames.find((name) => tensorFormats[name].id === id);

/** The values of whole blocks. */
export function dequantize(format: TensorFormat, blocks: ArrayBuffer): Float32Array {
  switch (format) {
    case 'F32':
      return new Float32Array(blocks);
    case 'F16':
      return decodeFloat16(new Uint16Array(blocks));
    case 'BF16':
      return decodeBfloat16(new Uint16Array(blocks));
    default:
      return readBlocks(format, blocks);
  }
}

function readBlocks(format: BlockFormat, blocks: ArrayBuffer): Float32Array {
  const { values: perBlock, bytes } = tensorFormats[format];
  const count = blocks.byteLength / bytes;
  const values = new Float32Array(count * perBlock);
  const read = blockReaders[format];
  for (let block = 0; block < count; block++)
    read(new DataView(blocks, block * bytes, bytes), values.subarray(block * perBlock));
  return values;
}

/** The formats that store values in blocks with a scale. */
type BlockFormat = Exclude<TensorFormat, 'F32' | 'F16' | 'BF16'>;

/** Writes a block's values to the start of `values`. */
type BlockReader = (block: DataView, values: Float32Array) => void;

/**
 * Layouts and formulas are those of llama.cpp's ggml-quants.c. Scales are binary16 and codes have at most eight bits, so
 * each result is exact in double precision and rounded only once, to single precision.
 */
const blockReaders: Readonly<Record<BlockFormat, BlockReader>> = {
  Q4_0: (block, values) => {
    const [scale, codes] = [half(block, 0), after(block, 2)];
    for (let i = 0; i < 32; i++) values[i] = scale * (nibble(codes, i) - 8);
  },
  Q4_1: (block, values) => {
    const [scale, minimum, codes] = [half(block, 0), half(block, 2), after(block, 4)];
    for (let i = 0; i < 32; i++) values[i] = scale * nibble(codes, i) + minimum;
  },
  Q5_0: (block, values) => {
    const [scale, high, codes] = [half(block, 0), block.getUint32(2, true), after(block, 6)];
    for (let i = 0; i < 32; i++) values[i] = scale * ((nibble(codes, i) | fifthBit(high, i)) - 16);
  },
  Q5_1: (block, values) => {
    const [scale, minimum, high] = [half(block, 0), half(block, 2), block.getUint32(4, true)];
    const codes = after(block, 8);
    for (let i = 0; i < 32; i++) values[i] = scale * (nibble(codes, i) | fifthBit(high, i)) + minimum;
  },
  Q8_0: (block, values) => {
    const scale = half(block, 0);
    for (let i = 0; i < 32; i++) values[i] = scale * block.getInt8(2 + i);
  },
  Q2_K: (block, values) => {
    const [scale, minimum, codes] = [half(block, 80), half(block, 82), after(block, 16)];
    for (let i = 0; i < 256; i++) {
      const group = block.getUint8(i >> 4);
      values[i] = scale * (group & 15) * twoBits(codes, i) - minimum * (group >> 4);
    }
  },
  Q3_K: (block, values) => {
    const [scale, codes, packed] = [half(block, 108), after(block, 32), after(block, 96)];
    for (let i = 0; i < 256; i++) {
      const high = (block.getUint8(i & 31) >> (i >> 5)) & 1;
      values[i] = scale * (splitScale(packed, i >> 4) - 32) * ((twoBits(codes, i) | (high << 2)) - 4);
    }
  },
  Q4_K: (block, values) => {
    const [codes, scaled] = [after(block, 16), groupScales(block)];
    for (let i = 0; i < 256; i++) values[i] = scaled(i >> 5, pairedNibble(codes, i));
  },
  Q5_K: (block, values) => {
    const [codes, scaled] = [after(block, 48), groupScales(block)];
    for (let i = 0; i < 256; i++) {
      const high = fifthBit(block.getUint8(16 + (i & 31)), i >> 5);
      values[i] = scaled(i >> 5, pairedNibble(codes, i) | high);
    }
  },
  Q6_K: (block, values) => {
    const scale = half(block, 208);
    for (let i = 0; i < 256; i++)
      values[i] = scale * block.getInt8(192 + (i >> 4)) * (sixBits(block, i) - 32);
  },
  IQ4_NL: (block, values) => {
    const [scale, codes] = [half(block, 0), after(block, 2)];
    for (let i = 0; i < 32; i++) values[i] = scale * (unevenLevels[nibble(codes, i)] ?? 0);
  },
  IQ4_XS: (block, values) => {
    const [scale, highBits, lowBits] = [half(block, 0), block.getUint16(2, true), after(block, 4)];
    for (let group = 0; group < 8; group++) {
      const high = (highBits >> (2 * group)) & 3;
      const factor = scale * ((orderedNibble(lowBits, group) | (high << 4)) - 32);
      const codes = after(block, 8 + 16 * group);
      for (let i = 0; i < 32; i++) values[32 * group + i] = factor * (unevenLevels[nibble(codes, i)] ?? 0);
    }
  },
};

/** The levels of IQ4_NL and IQ4_XS (kvalues_iq4nl), close to each other around zero, where most weights are. */
export const unevenLevels = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

const half = (block: DataView, at: number): number => decodeHalf(block.getUint16(at, true));

const after = (block: DataView, offset: number): DataView =>
  new DataView(block.buffer, block.byteOffset + offset, block.byteLength - offset);

/** 32 values in 16 bytes: the first 16 in the low nibbles, the others in the high ones. */
function nibble(codes: DataView, index: number): number {
  const byte = codes.getUint8(index & 15);
  return index < 16 ? byte & 15 : byte >> 4;
}

/** Nibbles in order, the low one of a byte first. */
const orderedNibble = (packed: DataView, index: number): number =>
  (packed.getUint8(index >> 1) >> (4 * (index & 1))) & 15;

/** Two halves of four groups of 32 values: the groups of a half share 32 bytes, two bits each. */
const twoBits = (codes: DataView, index: number): number =>
  (codes.getUint8(32 * (index >> 7) + (index & 31)) >> (2 * ((index >> 5) & 3))) & 3;

/** Q3_K: sixteen scales of six bits; two share the nibbles of each of eight bytes, four the upper bits of each of the next four. */
function splitScale(packed: DataView, group: number): number {
  const low = (packed.getUint8(group & 7) >> (4 * (group >> 3))) & 15;
  const high = (packed.getUint8(8 + (group & 3)) >> (2 * (group >> 2))) & 3;
  return low | (high << 4);
}

const fifthBit = (bits: number, index: number): number => ((bits >>> index) & 1) << 4;

/** Groups of 32 values: two groups share 32 bytes, the first in the low nibbles. */
function pairedNibble(codes: DataView, index: number): number {
  const [pair, isSecond, offset] = [index >> 6, (index >> 5) & 1, index & 31];
  const byte = codes.getUint8(32 * pair + offset);
  return isSecond ? byte >> 4 : byte & 15;
}

/** Q6_K: two halves of four groups of 32 values. The low four bits of two groups share 32 bytes, as do the high two bits of all four. */
function sixBits(block: DataView, index: number): number {
  const [part, group, offset] = [index >> 7, (index >> 5) & 3, index & 31];
  const low = block.getUint8(64 * part + 32 * (group & 1) + offset);
  const high = block.getUint8(128 + 32 * part + offset) >> (2 * group);
  return (group < 2 ? low & 15 : low >> 4) | ((high & 3) << 4);
}

/** Q4_K and Q5_K: eight groups, each with a scale and a minimum of six bits. Returns a function from a group's code to its value. */
function groupScales(block: DataView): (group: number, code: number) => number {
  const [scale, minimum, packed] = [half(block, 0), half(block, 2), after(block, 4)];
  const scales = Float64Array.from({ length: 8 }, (_, group) => scale * sixBitScale(packed, group));
  const minima = Float64Array.from({ length: 8 }, (_, group) => minimum * sixBitMinimum(packed, group));
  return (group, code) => (scales[group] ?? 0) * code - (minima[group] ?? 0);
}

/** Twelve bytes: scales and minima of the first four groups, with the upper bits of the last four above them; then their lower bits. */
function sixBitScale(packed: DataView, group: number): number {
  if (group < 4) return packed.getUint8(group) & 63;
  return (packed.getUint8(group + 4) & 15) | ((packed.getUint8(group - 4) >> 6) << 4);
}

function sixBitMinimum(packed: DataView, group: number): number {
  if (group < 4) return packed.getUint8(group + 4) & 63;
  return (packed.getUint8(group + 4) >> 4) | ((packed.getUint8(group) >> 6) << 4);
}
