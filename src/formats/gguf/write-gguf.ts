import { type FileHandle, open } from 'node:fs/promises';
import type { Json } from '../../core/index.ts';
import { elementCount } from '../safetensors/floats.ts';
import { type TensorFormat, tensorFormats } from './blocks.ts';
import { shortestDecimal } from './metadata.ts';
import { quantize, type WritableFormat } from './quantize.ts';

/** A value of a file's metadata, with its type in the file. */
export type GgufValue =
  | { readonly uint32: number }
  | { readonly float32: number }
  | { readonly flag: boolean }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly int32s: readonly number[] }
  | { readonly float32s: readonly number[] };

/** A value as a reader finds it; single precision rounds numbers. */
export function plainValue(value: GgufValue): Json {
  if ('uint32' in value) return value.uint32;
  if ('float32' in value) return shortestDecimal(Math.fround(value.float32));
  if ('flag' in value) return value.flag;
  if ('text' in value) return value.text;
  if ('float32s' in value) return value.float32s.map((each) => shortestDecimal(Math.fround(each)));
  return 'texts' in value ? value.texts : value.int32s;
}

/** A tensor to write; `read` is called once, right before it is written, so that only one tensor is in memory at a time. */
export interface GgufTensorToWrite {
  readonly name: string;
  readonly format: WritableFormat;
  /** As in a checkpoint, with the row size last. */
  readonly shape: readonly number[];
  /** The values, row by row. */
  readonly read: () => Promise<Float32Array>;
}

export interface GgufToWrite {
  /** In the order in which it is written. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensorToWrite[];
}

const alignment = 32;
/** How many values are in memory in both forms at a time; a multiple of every format's block. */
const chunkValues = 1 << 20;

/** Writes a GGUF file of version 3, little-endian. Throws a RangeError if a tensor's values do not fit its shape. */
export async function writeGguf(path: string, { metadata, tensors }: GgufToWrite): Promise<void> {
  const handle = await open(path, 'w');
  try {
    const header = encodeHeader(metadata, tensors);
    let position = await writeAll(handle, header, 0);
    for (const tensor of tensors) {
      const values = await tensor.read();
      if (values.length !== elementCount(tensor.shape))
        throw new RangeError(`tensor ${tensor.name} has ${values.length} values, not [${tensor.shape}]`);
      for (let first = 0; first < values.length; first += chunkValues) {
        const packed = quantize(tensor.format, values.subarray(first, first + chunkValues));
        position = await writeAll(handle, packed, position);
      }
      position = await writeAll(handle, new Uint8Array(aligned(position) - position), position);
    }
  } finally {
    await handle.close();
  }
}

/** The bytes of a tensor of whole blocks. */
const packedBytes = (format: TensorFormat, shape: readonly number[]): number =>
  (elementCount(shape) / tensorFormats[format].values) * tensorFormats[format].bytes;

const aligned = (position: number): number => Math.ceil(position / alignment) * alignment;

function encodeHeader(
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly GgufTensorToWrite[],
): Uint8Array {
  const parts = [
    Buffer.from('GGUF'),
    uint32(3),
    uint64(tensors.length),
    uint64(metadata.size),
    ...[...metadata].flatMap(([key, value]) => [text(key), ...encodeValue(value)]),
  ];
  let offset = 0;
  for (const { name, format, shape } of tensors) {
    const sizes = shape.toReversed().map(uint64);
    parts.push(text(name), uint32(shape.length), ...sizes, uint32(tensorFormats[format].id), uint64(offset));
    offset = aligned(offset + packedBytes(format, shape));
  }
  const header = Buffer.concat(parts);
  return Buffer.concat([header, Buffer.alloc(aligned(header.length) - header.length)]);
}

/** The numbers of the types in the file. */
const types = { uint32: 4, int32: 5, float32: 6, flag: 7, text: 8, list: 9 };

function encodeValue(value: GgufValue): readonly Buffer[] {
  if ('uint32' in value) return [uint32(types.uint32), uint32(value.uint32)];
  if ('float32' in value) return [uint32(types.float32), float32(value.float32)];
  if ('flag' in value) return [uint32(types.flag), Buffer.of(Number(value.flag))];
  if ('text' in value) return [uint32(types.text), text(value.text)];
  if ('texts' in value) return [...list(types.text, value.texts.length), ...value.texts.map(text)];
  if ('float32s' in value)
    return [
      ...list(types.float32, value.float32s.length),
      Buffer.from(new Uint8Array(Float32Array.from(value.float32s).buffer)),
    ];
  return [
    ...list(types.int32, value.int32s.length),
    Buffer.from(new Uint8Array(Int32Array.from(value.int32s).buffer)),
  ];
}

const list = (type: number, count: number): readonly Buffer[] => [
  uint32(types.list),
  uint32(type),
  uint64(count),
];

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uint64(bytes.length), bytes]);
};

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

const uint64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

const float32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  for (let written = 0; written < bytes.length; )
    written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  return position + bytes.length;
}
