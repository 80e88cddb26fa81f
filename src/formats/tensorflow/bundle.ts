import { open, readFile, stat } from 'node:fs/promises';
import protobuf from 'protobufjs/light.js';
import { readFully } from '../read-fully.ts';
import { badCheckpoint, crc32c, maskedCrc32c, readTable, whole } from './table.ts';

/** GPT-2's have about 5 KB. */
const mostIndexBytes = 64 * 2 ** 20;
const float32 = 1;

/** The float32 tensors of a checkpoint written by TensorFlow's Saver: `<prefix>.index` and its data file. */
export interface Bundle extends AsyncDisposable {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The values of a tensor, row by row. */
  readonly read: (name: string) => Promise<Float32Array>;
}

/** Opens a checkpoint. Every size and offset is checked against the files before anything is read. */
export async function openBundle(prefix: string): Promise<Bundle> {
  const path = `${prefix}.data-00000-of-00001`;
  const entries = await readIndex(`${prefix}.index`);
  const file = await open(path).catch(() => {
    throw badCheckpoint(path, 'is missing or cannot be read');
  });
  try {
    const { size } = await file.stat();
    for (const [name, entry] of entries) checkEntry({ path, name, entry, fileBytes: size });
  } catch (error) {
    await file.close();
    throw error;
  }
  const read = async (name: string): Promise<Float32Array> => {
    const entry = entries.get(name);
    if (entry === undefined) throw new Error(`No tensor has the name ${name}`);
    const bytes = new Uint8Array(entry.size);
    await readFully(file, {
      bytes,
      position: entry.offset,
      failure: (what) => badCheckpoint(path, `is damaged: ${what}`),
    });
    if (maskedCrc32c(crc32c(bytes)) !== entry.checksum)
      throw badCheckpoint(path, `is damaged: the checksum of \`${name}\` is wrong`);
    return new Float32Array(bytes.buffer); // little-endian, like every processor that Node runs on
  };
  const shapes = new Map([...entries].map(([name, { shape }]) => [name, shape]));
  return { shapes, read, [Symbol.asyncDispose]: () => file.close() };
}

async function readIndex(path: string): Promise<ReadonlyMap<string, BundleEntry>> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw badCheckpoint(path, 'is missing or cannot be read');
  if (found.size > mostIndexBytes)
    throw badCheckpoint(path, `has ${found.size} bytes, too many for an index`);
  try {
    const table = new Map(readTable(await readFile(path)));
    const header = parseBundleHeader(table.get('') ?? new Uint8Array());
    table.delete('');
    if (header.shards !== 1) throw new RangeError(`it splits its data into ${header.shards} files, not 1`);
    if (!header.littleEndian) throw new RangeError('its numbers are stored high byte first');
    return new Map([...table].map(([name, bytes]) => [name, parseBundleEntry(bytes)]));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw badCheckpoint(path, `is not a checkpoint's index: ${error.message}`);
  }
}

function checkEntry(at: {
  readonly path: string;
  readonly name: string;
  readonly entry: BundleEntry;
  readonly fileBytes: number;
}): void {
  const { path, name, entry, fileBytes } = at;
  const { dtype, shape, shard, offset, size, sliced } = entry;
  if (dtype !== float32 || sliced || shard !== 0)
    throw badCheckpoint(path, `has \`${name}\`, which is not a whole float32 tensor`);
  const bytes = shape.reduce((product, extent) => product * extent, 4);
  if (bytes !== size || offset + size > fileBytes)
    throw badCheckpoint(
      path,
      `has ${fileBytes} bytes and cannot hold \`${name}\`: ${size} bytes at ${offset} of shape [${shape}]`,
    );
}

/** A tensor's place in the data file: BundleEntryProto of TensorFlow's tensor_bundle.proto. */
interface BundleEntry {
  /** DataType of types.proto; 1 is float32. */
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly shard: number;
  readonly offset: number;
  readonly size: number;
  /** Masked, as in LevelDB. */
  readonly checksum: number;
  /** A sliced tensor has no own bytes. */
  readonly sliced: boolean;
}

/** Decodes an entry; protocol buffers leave out fields that have their default. */
function parseBundleEntry(bytes: Uint8Array): BundleEntry {
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

/** BundleHeaderProto: the number of data files, and their byte order. */
function parseBundleHeader(bytes: Uint8Array): {
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

/** TensorShapeProto: a `dim` with a `size` per axis. */
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
