export { readBytes } from './byte-stream.ts';
export { readDelimitedRows } from './delimited-rows.ts';
export { tensorFormats } from './gguf/blocks.ts';
export { unsupportedGguf } from './gguf/header-reader.ts';
export { type GgufMetadata, shortestDecimal } from './gguf/metadata.ts';
export { type GgufFile, openGguf } from './gguf/open-gguf.ts';
export type { WritableFormat } from './gguf/quantize.ts';
export type { QuantizedBlocks } from './gguf/unpack-blocks.ts';
export {
  type GgufTensorToWrite,
  type GgufToWrite,
  type GgufValue,
  plainValue,
  writeGguf,
} from './gguf/write-gguf.ts';
export { readJsonFile } from './json.ts';
export { checkJson, jsonFault, parseJson } from './json-fault.ts';
export { JsonlWriter, readJsonl } from './jsonl.ts';
export { notUtf8 } from './lines.ts';
export { openTensors } from './open-tensors.ts';
export { readParquet } from './parquet.ts';
export { elementCount, encodeBfloat16, encodeFloat16, tensorBytes } from './safetensors/floats.ts';
export { openSafetensors, type SafetensorsFile } from './safetensors/open-safetensors.ts';
export { type TensorToWrite, writeSafetensors } from './safetensors/write-safetensors.ts';
export { type Bundle, openBundle } from './tensorflow/bundle.ts';
export { badCheckpoint, crc32c, maskedCrc32c } from './tensorflow/table.ts';
