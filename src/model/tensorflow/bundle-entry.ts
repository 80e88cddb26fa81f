import protobuf from 'protobufjs/light.js';
import { whole } from './read-table.ts';

/** Where a tensor stands in the data file: BundleEntryProto of TensorFlow's tensor_bundle.proto. */
export interface BundleEntry {
  /** DataType of types.proto; 1 is float32. */
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly shard: number;
  readonly offset: number;
  readonly size: number;
  /** Masked, as LevelDB has it. */
  readonly checksum: number;
  /** A tensor that is kept in slices has no bytes of its own. */
  readonly sliced: boolean;
}

/** Decodes an entry; fields that it does not name have their default, as protocol buffers leave those out. */
export function parseBundleEntry(bytes: Uint8Array): BundleEntry {
  const entry = {
    dtype: 0,
    shape: [] as readonly number[],
    shard: 0,
    offset: 0,
    size: 0,
    checksum: 0,
    sliced: false,
  };
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    switch (tag) {
      case 0x08:
        entry.dtype = reader.int32();
        break;
      case 0x12:
        entry.shape = parseShape(reader.bytes());
        break;
      case 0x18:
        entry.shard = reader.int32();
        break;
      case 0x20:
        entry.offset = whole(reader.int64());
        break;
      case 0x28:
        entry.size = whole(reader.int64());
        break;
      case 0x35:
        entry.checksum = reader.fixed32();
        break;
      case 0x3a:
        entry.sliced = true;
        reader.skipType(2);
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  return entry;
}

/** BundleHeaderProto: into how many files the data is split, and whether its numbers are stored low byte first. */
export function parseBundleHeader(bytes: Uint8Array): {
  readonly shards: number;
  readonly littleEndian: boolean;
} {
  const header = { shards: 0, littleEndian: true };
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 0x08) header.shards = reader.int32();
    else if (tag === 0x10) header.littleEndian = reader.int32() === 0;
    else reader.skipType(tag & 7);
  }
  return header;
}

/** TensorShapeProto: a `dim` with a `size` for each axis. */
function parseShape(bytes: Uint8Array): readonly number[] {
  const shape: number[] = [];
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 0x12) shape.push(parseDimension(reader.bytes()));
    else reader.skipType(tag & 7);
  }
  return shape;
}

function parseDimension(bytes: Uint8Array): number {
  let size = 0;
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 0x08) size = whole(reader.int64());
    else reader.skipType(tag & 7);
  }
  return size;
}
