import { decodeHalf } from '../safetensors/floats.ts';
import { type TensorFormat, tensorFormats, unevenLevels } from './blocks.ts';

/**
 * A tensor's values as whole numbers in blocks: value = scale (number - zero) + minimum, without the minimum where there are
 * none. The product is exact in single precision, so the sum rounds once, as `dequantize` does.
 */
export interface QuantizedBlocks {
  readonly bits: 4 | 8;
  /** Consecutive values that share a scale. */
  readonly size: 16 | 32;
  /** One number a byte in 8 bits; two in 4 bits, the first in the low nibble. */
  readonly bytes: Uint8Array;
  readonly zero: number;
  /** One for each block, as `minima`. */
  readonly scales: Float32Array;
  readonly minima: Float32Array | undefined;
}

/** How a format is unpacked. */
interface Unpacked extends Pick<QuantizedBlocks, 'bits' | 'size' | 'zero'> {
  readonly hasMinima: boolean;
  /** Writes the numbers of one of the file's blocks to the start of `numbers`, and its scales and minima to theirs. */
  readonly unpack: (block: Uint8Array, into: BlockParts) => void;
}

interface BlockParts {
  readonly numbers: Uint8Array;
  readonly scales: Float32Array;
  readonly minima: Float32Array;
}

/** The tensor's bits in a uniform layout; undefined for a format without blocks. No value changes. */
export function unpackBlocks(format: TensorFormat, packed: Uint8Array): QuantizedBlocks | undefined {
  if (format === 'F32' || format === 'F16' || format === 'BF16') return undefined;
  const { bits, size, zero, hasMinima, unpack } = unpackers[format];
  const { values, bytes: perBlock } = tensorFormats[format];
  const [count, groups, stored] = [packed.length / perBlock, values / size, (values * bits) / 8];
  const bytes = new Uint8Array(count * stored);
  const scales = new Float32Array(count * groups);
  const minima = new Float32Array(hasMinima ? scales.length : groups);
  const numbers = new Uint8Array(values);
  for (let block = 0; block < count; block++) {
    const own = (of: Float32Array) => of.subarray(block * groups, (block + 1) * groups);
    const into = { numbers, scales: own(scales), minima: hasMinima ? own(minima) : minima };
    unpack(packed.subarray(block * perBlock, (block + 1) * perBlock), into);
    const start = block * stored;
    if (bits === 8) bytes.set(numbers, start);
    else
      for (let i = 0; i < stored; i++)
        bytes[start + i] = (numbers[2 * i] ?? 0) | ((numbers[2 * i + 1] ?? 0) << 4);
  }
  return { bits, size, bytes, zero, scales, minima: hasMinima ? minima : undefined };
}

type BlockFormat = Exclude<TensorFormat, 'F32' | 'F16' | 'BF16'>;

/** Numbers of 8 bits that lie symmetrically around 0 in the file. */
const around128 = { bits: 8, zero: 128, hasMinima: false } as const;

/** Layouts are those of llama.cpp's ggml-quants.c, as in blocks.ts. */
const unpackers: Readonly<Record<BlockFormat, Unpacked>> = {
  Q4_0: {
    ...{ bits: 4, size: 32, zero: 8, hasMinima: false },
    unpack(block, { numbers, scales }) {
      scales[0] = half(block, 0);
      nibbles(block, { at: 2, count: 16, numbers, to: 0 });
    },
  },
  Q4_1: {
    ...{ bits: 4, size: 32, zero: 0, hasMinima: true },
    unpack(block, { numbers, scales, minima }) {
      scales[0] = half(block, 0);
      minima[0] = half(block, 2);
      nibbles(block, { at: 4, count: 16, numbers, to: 0 });
    },
  },
  Q5_0: {
    ...{ ...around128, size: 32 },
    unpack(block, { numbers, scales }) {
      scales[0] = half(block, 0);
      nibbles(block, { at: 6, count: 16, numbers, to: 0 });
      for (let i = 0; i < 32; i++) numbers[i] = (numbers[i] ?? 0) + 16 * bit(block, 2, i) + 112;
    },
  },
  Q5_1: {
    ...{ bits: 8, size: 32, zero: 112, hasMinima: true },
    unpack(block, { numbers, scales, minima }) {
      scales[0] = half(block, 0);
      minima[0] = half(block, 2);
      nibbles(block, { at: 8, count: 16, numbers, to: 0 });
      for (let i = 0; i < 32; i++) numbers[i] = (numbers[i] ?? 0) + 16 * bit(block, 4, i) + 112;
    },
  },
  Q8_0: {
    ...{ ...around128, size: 32 },
    unpack(block, { numbers, scales }) {
      scales[0] = half(block, 0);
      for (let i = 0; i < 32; i++) numbers[i] = (block[2 + i] ?? 0) ^ 128;
    },
  },
  Q2_K: {
    ...{ bits: 4, size: 16, zero: 0, hasMinima: true },
    unpack(block, { numbers, scales, minima }) {
      const [scale, minimum] = [half(block, 80), half(block, 82)];
      for (let group = 0; group < 16; group++) {
        const packed = block[group] ?? 0;
        scales[group] = scale * (packed & 15);
        minima[group] = -minimum * (packed >> 4);
      }
      for (let i = 0; i < 256; i++) numbers[i] = twoBits(block, 16, i);
    },
  },
  Q3_K: {
    ...{ bits: 4, size: 16, zero: 8, hasMinima: false },
    unpack(block, { numbers, scales }) {
      const scale = half(block, 108);
      for (let group = 0; group < 16; group++) {
        const low = ((block[96 + (group & 7)] ?? 0) >> (4 * (group >> 3))) & 15;
        const high = ((block[104 + (group & 3)] ?? 0) >> (2 * (group >> 2))) & 3;
        scales[group] = scale * ((low | (high << 4)) - 32);
      }
      for (let i = 0; i < 256; i++) {
        const high = ((block[i & 31] ?? 0) >> (i >> 5)) & 1;
        numbers[i] = (twoBits(block, 32, i) | (high << 2)) + 4;
      }
    },
  },
  Q4_K: {
    ...{ bits: 4, size: 32, zero: 0, hasMinima: true },
    unpack(block, { numbers, scales, minima }) {
      groupScales(block, scales, minima);
      for (let pair = 0; pair < 4; pair++)
        nibbles(block, { at: 16 + 32 * pair, count: 32, numbers, to: 64 * pair });
    },
  },
  Q5_K: {
    ...{ bits: 8, size: 32, zero: 112, hasMinima: true },
    unpack(block, { numbers, scales, minima }) {
      groupScales(block, scales, minima);
      for (let pair = 0; pair < 4; pair++)
        nibbles(block, { at: 48 + 32 * pair, count: 32, numbers, to: 64 * pair });
      for (let i = 0; i < 256; i++) {
        const high = ((block[16 + (i & 31)] ?? 0) >> (i >> 5)) & 1;
        numbers[i] = (numbers[i] ?? 0) + 16 * high + 112;
      }
    },
  },
  Q6_K: {
    ...{ ...around128, size: 16 },
    unpack(block, { numbers, scales }) {
      const scale = half(block, 208);
      for (let group = 0; group < 16; group++) scales[group] = scale * signed(block[192 + group] ?? 0);
      for (let part = 0; part < 2; part++)
        for (let i = 0; i < 128; i++) {
          const [group, offset] = [i >> 5, i & 31];
          const low = (block[64 * part + 32 * (group & 1) + offset] ?? 0) >> (group < 2 ? 0 : 4);
          const high = (block[128 + 32 * part + offset] ?? 0) >> (2 * group);
          numbers[128 * part + i] = ((low & 15) | ((high & 3) << 4)) + 96;
        }
    },
  },
  IQ4_NL: {
    ...{ ...around128, size: 32 },
    unpack(block, { numbers, scales }) {
      scales[0] = half(block, 0);
      nibbles(block, { at: 2, count: 16, numbers, to: 0 });
      for (let i = 0; i < 32; i++) numbers[i] = unevenNumbers[numbers[i] ?? 0] ?? 0;
    },
  },
  IQ4_XS: {
    ...{ ...around128, size: 32 },
    unpack(block, { numbers, scales }) {
      const [scale, highBits] = [half(block, 0), (block[2] ?? 0) | ((block[3] ?? 0) << 8)];
      for (let group = 0; group < 8; group++) {
        const low = ((block[4 + (group >> 1)] ?? 0) >> (4 * (group & 1))) & 15;
        scales[group] = scale * ((low | (((highBits >> (2 * group)) & 3) << 4)) - 32);
        nibbles(block, { at: 8 + 16 * group, count: 16, numbers, to: 32 * group });
      }
      for (let i = 0; i < 256; i++) numbers[i] = unevenNumbers[numbers[i] ?? 0] ?? 0;
    },
  },
};

/** The levels of IQ4_NL and IQ4_XS, shifted by the zero. */
const unevenNumbers = unevenLevels.map((level) => level + 128);

const half = (block: Uint8Array, at: number): number =>
  decodeHalf((block[at] ?? 0) | ((block[at + 1] ?? 0) << 8));

const signed = (byte: number): number => (byte << 24) >> 24;

/** Bit `index` of the bits that start at a byte. */
const bit = (block: Uint8Array, at: number, index: number): number =>
  ((block[at + (index >> 3)] ?? 0) >> (index & 7)) & 1;

/** The low nibbles of `count` bytes, then their high ones. */
function nibbles(
  block: Uint8Array,
  { at, count, numbers, to }: { at: number; count: number; numbers: Uint8Array; to: number },
): void {
  for (let i = 0; i < count; i++) {
    const byte = block[at + i] ?? 0;
    numbers[to + i] = byte & 15;
    numbers[to + count + i] = byte >> 4;
  }
}

/** Two halves of four groups of 32 values: the groups of a half share 32 bytes, two bits each. */
const twoBits = (block: Uint8Array, at: number, index: number): number =>
  ((block[at + 32 * (index >> 7) + (index & 31)] ?? 0) >> (2 * ((index >> 5) & 3))) & 3;

/** Q4_K and Q5_K: eight groups, each with a scale and a minimum of six bits in the twelve bytes from the fourth on. */
function groupScales(block: Uint8Array, scales: Float32Array, minima: Float32Array): void {
  const [scale, minimum] = [half(block, 0), half(block, 2)];
  for (let group = 0; group < 8; group++) {
    const [first, second, third] = [block[4 + group] ?? 0, block[8 + group] ?? 0, block[group] ?? 0];
    scales[group] = scale * (group < 4 ? first & 63 : (second & 15) | ((third >> 6) << 4));
    minima[group] = -minimum * (group < 4 ? second & 63 : (second >> 4) | ((first >> 6) << 4));
  }
}
