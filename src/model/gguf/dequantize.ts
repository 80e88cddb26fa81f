import { decodeBfloat16, decodeFloat16 } from '../safetensors/decode-floats.ts';
import { type BlockFormat, blockReaders } from './block-readers.ts';
import { type TensorFormat, tensorFormats } from './tensor-format.ts';

/** The values that whole blocks of a format stand for. */
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
