import { encodeBfloat16, encodeFloat16 } from '../safetensors/floats.ts';
import { type TensorFormat, tensorFormats } from './blocks.ts';
import { packQ4K, packQ5K } from './k-quants.ts';
import { packQ6K } from './q6-k.ts';

/** The formats that can be written. */
export type WritableFormat = Extract<
  TensorFormat,
  'F32' | 'F16' | 'BF16' | 'Q4_0' | 'Q5_0' | 'Q5_1' | 'Q8_0' | 'Q4_K' | 'Q5_K' | 'Q6_K'
>;

/** Stores values, whole blocks of them, in a format; the bytes are those of llama.cpp's reference quantization. */
export function quantize(format: WritableFormat, values: Float32Array): Uint8Array {
  switch (format) {
    case 'F32':
      return bytesOf(values);
    case 'F16':
      return bytesOf(encodeFloat16(values));
    case 'BF16':
      return bytesOf(encodeBfloat16(values));
    default:
      return packBlocks(format, values);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function packBlocks(format: BlockFormat, values: Float32Array): Uint8Array {
  const { values: perBlock, bytes } = tensorFormats[format];
  const packed = new Uint8Array((values.length / perBlock) * bytes);
  const pack = packers[format];
  for (let block = 0; block * perBlock < values.length; block++)
    pack(
      values.subarray(block * perBlock, (block + 1) * perBlock),
      new DataView(packed.buffer, block * bytes, bytes),
    );
  return packed;
}

type BlockFormat = Exclude<WritableFormat, 'F32' | 'F16' | 'BF16'>;

/** Writes a block's values into its bytes. */
type BlockPacker = (values: Float32Array, block: DataView) => void;

/** Formulas of ggml-quants.c, step by step in single precision. */
const packers: Readonly<Record<BlockFormat, BlockPacker>> = {
  Q4_0(values, block) {
    const codes = codesAround(values, { half: 8, block });
    for (let i = 0; i < 16; i++) block.setUint8(2 + i, (codes[i] ?? 0) | ((codes[i + 16] ?? 0) << 4));
  },
  Q5_0(values, block) {
    const codes = codesAround(values, { half: 16, block });
    setFiveBits(block, 2, codes);
  },
  Q5_1(values, block) {
    let [low, high] = [values[0] ?? 0, values[0] ?? 0];
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
    const scale = Math.fround(Math.fround(high - low) / 31);
    const inverse = inverseOf(scale);
    setHalf(block, 0, scale);
    setHalf(block, 2, low);
    const codes = Uint8Array.from(values, (value) =>
      Math.trunc(Math.fround(Math.fround(Math.fround(value - low) * inverse) + 0.5)),
    );
    setFiveBits(block, 4, codes);
  },
  Q8_0(values, block) {
    const scale = Math.fround(Math.abs(farthest(values)) / 127);
    const inverse = inverseOf(scale);
    setHalf(block, 0, scale);
    for (let i = 0; i < 32; i++) {
      const scaled = Math.fround((values[i] ?? 0) * inverse);
      block.setInt8(2 + i, Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5));
    }
  },
  Q4_K: packQ4K,
  Q5_K: packQ5K,
  Q6_K: packQ6K,
};

/** The fifth bits of 32 codes in four bytes, and their lower bits in the nibbles of 16. */
function setFiveBits(block: DataView, at: number, codes: Uint8Array): void {
  let high = 0;
  for (let i = 0; i < 32; i++) high |= ((codes[i] ?? 0) >> 4) << i;
  block.setUint32(at, high >>> 0, true);
  for (let i = 0; i < 16; i++)
    block.setUint8(at + 4 + i, ((codes[i] ?? 0) & 15) | (((codes[i + 16] ?? 0) & 15) << 4));
}

/** Codes from 0 to 2 * half - 1, where the value farthest from zero has code 0; writes their scale. */
function codesAround(
  values: Float32Array,
  { half, block }: { readonly half: number; readonly block: DataView },
): Uint8Array {
  const scale = Math.fround(farthest(values) / -half);
  const inverse = inverseOf(scale);
  setHalf(block, 0, scale);
  return Uint8Array.from(values, (value) =>
    Math.min(2 * half - 1, Math.trunc(Math.fround(Math.fround(value * inverse) + half + 0.5))),
  );
}

const inverseOf = (scale: number): number => (scale === 0 ? 0 : Math.fround(1 / scale));

/** The first of the values with the greatest magnitude. */
function farthest(values: Float32Array): number {
  let found = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(found)) found = value;
  return found;
}

const setHalf = (block: DataView, at: number, value: number): void =>
  block.setUint16(at, encodeFloat16(Float32Array.of(value))[0] ?? 0, true);
