import protobuf from 'protobufjs/light.js';
import { UserError } from '../../core/index.ts';

/** LevelDB's magic number at the end of a table, low word first. */
const magic = [0x8b80fb57, 0xdb477524] as const;
const footerBytes = 48;
/** Each block is followed by its compression type and a checksum. */
const trailerBytes = 5;
const mostEntries = 1_000_000;

/**
 * The entries of a table in LevelDB's format (table_format.md there), as TensorFlow writes the index of a checkpoint:
 * an index block that names the data blocks, whose keys leave out the prefix that they share with the previous key.
 * Throws a RangeError if the bytes are not a table; memory is proportional to them.
 */
export function readTable(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>();
  for (const [, handle] of blockEntries(blockAt(bytes, indexHandle(bytes)))) {
    for (const [key, value] of blockEntries(blockAt(bytes, readHandle(protobuf.Reader.create(handle))))) {
      if (entries.has(key)) throw new RangeError(`it has the key ${JSON.stringify(key)} twice`);
      entries.set(key, value);
      if (entries.size > mostEntries) throw new RangeError(`it has more than ${mostEntries} entries`);
    }
  }
  return entries;
}

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

function indexHandle(bytes: Uint8Array): BlockHandle {
  if (bytes.length < footerBytes) throw new RangeError('it is too short for a table');
  const footer = bytes.subarray(bytes.length - footerBytes);
  const view = viewOf(footer);
  if (view.getUint32(40, true) !== magic[0] || view.getUint32(44, true) !== magic[1])
    throw new RangeError('it does not end like a table');
  const reader = protobuf.Reader.create(footer);
  readHandle(reader); // of the metaindex block, which is empty here
  return readHandle(reader);
}

const readHandle = (reader: protobuf.Reader): BlockHandle => ({
  offset: whole(reader.uint64()),
  size: whole(reader.uint64()),
});

function blockAt(bytes: Uint8Array, { offset, size }: BlockHandle): Uint8Array {
  if (offset + size + trailerBytes > bytes.length)
    throw new RangeError('one of its blocks lies outside of the file');
  const block = bytes.subarray(offset, offset + size);
  const compression = bytes[offset + size];
  if (compression !== 0)
    throw new RangeError(`one of its blocks is compressed (${compression}), which is not supported`);
  const stored = viewOf(bytes).getUint32(offset + size + 1, true);
  if (maskedCrc32c(crc32c(bytes.subarray(offset, offset + size + 1))) !== stored)
    throw new RangeError('the checksum of one of its blocks is wrong');
  return block;
}

function* blockEntries(block: Uint8Array): Generator<readonly [string, Uint8Array]> {
  if (block.length < 4) throw new RangeError('one of its blocks is too short');
  const restarts = viewOf(block).getUint32(block.length - 4, true);
  const end = block.length - 4 - 4 * restarts;
  if (end < 0) throw new RangeError('one of its blocks claims more restarts than it holds');
  const reader = protobuf.Reader.create(block.subarray(0, end));
  let key = Buffer.alloc(0);
  while (reader.pos < end) {
    const [shared, own, length] = [reader.uint32(), reader.uint32(), reader.uint32()];
    if (shared > key.length || own + length > end - reader.pos)
      throw new RangeError('one of its entries leads out of its block');
    const at = reader.pos;
    key = Buffer.concat([key.subarray(0, shared), block.subarray(at, at + own)]);
    reader.skip(own);
    yield [key.toString('utf8'), block.subarray(at + own, at + own + length)];
    if (length > 0) reader.skip(length);
  }
}

/** A 64-bit number of bytes in a file. */
export function whole(value: unknown): number {
  const number = Number(String(value));
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new RangeError(`it names ${value}, which is not an offset in a file`);
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The polynomial of CRC-32C (Castagnoli), its bits reversed. */
const polynomial = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
  return value >>> 0;
});

/** CRC-32C, continued from `before`, that of the bytes so far. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let value = ~before;
  for (const byte of bytes) value = (table[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return ~value >>> 0;
}

/** LevelDB stores checksums rotated by 15 bits and offset by a constant, because checksums of checksums are weak. */
export const maskedCrc32c = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;

/** A checkpoint that violates TensorFlow's format, or belongs to another model than its hparams.json. */
export const badCheckpoint = (path: string, what: string): UserError =>
  new UserError({
    code: 'bad-checkpoint',
    message: `${path} ${what}`,
    help: 'the files may be cut short or of different models; fetch them again',
  });
