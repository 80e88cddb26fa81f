import { type FileHandle, open } from 'node:fs/promises';
import { readFully } from '../read-fully.ts';
import { elementCount } from '../safetensors/floats.ts';
import { dequantize, type TensorFormat, tensorFormatNames, tensorFormatOf, tensorFormats } from './blocks.ts';
import { badGguf, HeaderReader, type HeaderSource, unsupportedGguf } from './header-reader.ts';
import { type GgufMetadata, readMetadata } from './metadata.ts';
import { type QuantizedBlocks, unpackBlocks } from './unpack-blocks.ts';

/** How many values are in memory in both forms at a time; a multiple of every format's block. */
const chunkValues = 1 << 22;

/** An open GGUF file. A read needs memory for its own tensor only. */
export interface GgufFile extends GgufHeader, AsyncDisposable {
  readonly path: string;
  /** A tensor's values, or those at an index of its first dimension, row by row, dequantized. Throws if there is no such tensor. */
  readonly read: (name: string, index?: number) => Promise<Float32Array>;
  /** The same as the file stores them; undefined for a format without blocks. */
  readonly readQuantized: (name: string, index?: number) => Promise<QuantizedBlocks | undefined>;
}

/** Opens a GGUF file and checks its header. Throws a UserError if it is invalid or has tensors in an unsupported format. */
export async function openGguf(path: string): Promise<GgufFile> {
  const handle = await open(path, 'r');
  const close = () => handle.close();
  try {
    const { size } = await handle.stat();
    const header = readHeader({ path, descriptor: handle.fd, size });
    const tensorAt = (name: string, index: number | undefined) => {
      const tensor = header.tensors.get(name);
      if (tensor === undefined) throw new Error(`No tensor has the name ${name}`);
      return index === undefined ? tensor : partOf(tensor, index);
    };
    return {
      ...header,
      path,
      read: async (name, index) => readTensor(handle, path, tensorAt(name, index)),
      readQuantized: async (name, index) => readQuantized(handle, path, tensorAt(name, index)),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The tensor at an index of the first of several dimensions. */
function partOf({ format, shape: [count = 0, ...shape], begin, end }: GgufTensor, index: number): GgufTensor {
  if (shape.length === 0 || index >= count)
    throw new RangeError(`A tensor of ${count} parts has no part ${index}`);
  const bytes = (end - begin) / count;
  return { format, shape, begin: begin + index * bytes, end: begin + (index + 1) * bytes };
}

async function readTensor(
  handle: FileHandle,
  path: string,
  { format, shape, begin, end }: GgufTensor,
): Promise<Float32Array> {
  const perBlock = tensorFormats[format];
  const chunkBytes = (chunkValues / perBlock.values) * perBlock.bytes;
  const values = new Float32Array(elementCount(shape));
  for (let position = begin, first = 0; position < end; position += chunkBytes, first += chunkValues) {
    const bytes = new Uint8Array(Math.min(chunkBytes, end - position));
    await readFully(handle, { bytes, position, failure: (what) => badGguf(path, what) });
    values.set(dequantize(format, bytes.buffer), first);
  }
  return values;
}

async function readQuantized(
  handle: FileHandle,
  path: string,
  { format, begin, end }: GgufTensor,
): Promise<QuantizedBlocks | undefined> {
  if (tensorFormats[format].values === 1) return undefined;
  const bytes = new Uint8Array(end - begin);
  await readFully(handle, { bytes, position: begin, failure: (what) => badGguf(path, what) });
  return unpackBlocks(format, bytes);
}

/** A tensor's blocks are the file's bytes from `begin` up to `end`. */
interface GgufTensor {
  readonly format: TensorFormat;
  /** As in a checkpoint, with the row size last. */
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

interface GgufHeader {
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** The first four bytes of every file: GGUF. */
const magic = 0x46554747;
const maximumRank = 4;
/** The least bytes of a tensor's description and of a key with its value; the limits are many times what the largest models have. */
const counted = {
  tensors: { what: 'tensors', bytesEach: 32, most: 300_000 },
  keys: { what: 'keys', bytesEach: 13, most: 100_000 },
};

/** Reads the header of a GGUF file of version 2 or 3, and checks every count, size and offset against the file's size. */
function readHeader(source: HeaderSource): GgufHeader {
  const { path, size } = source;
  const reader = new HeaderReader(source);
  if (size < 4 || reader.uint32() !== magic) throw badGguf(path, 'it does not start with `GGUF`');
  const version = reader.uint32();
  if (version !== 2 && version !== 3) {
    const bigEndian = version > 0 && version % 0x1000000 === 0;
    throw unsupportedGguf(path, bigEndian ? 'is big-endian' : `is GGUF of version ${version}, not 2 or 3`);
  }
  const tensorCount = reader.count(counted.tensors);
  const metadata = readMetadata(reader, reader.count(counted.keys));
  const alignment = alignmentOf(path, metadata);
  const infos = new Map<string, TensorInfo>();
  for (let index = 0; index < tensorCount; index++) {
    const name = reader.string();
    if (infos.has(name)) throw badGguf(path, `it has the tensor \`${name}\` twice`);
    infos.set(name, readInfo(reader, name));
  }
  const dataStart = Math.ceil(reader.position / alignment) * alignment;
  const place = ([name, info]: [string, TensorInfo]) =>
    [name, placeTensor({ ...info, path, name, size, dataStart, alignment })] as const;
  const tensors = new Map([...infos].map(place));
  refuseOverlaps(path, tensors);
  return { metadata, tensors };
}

function alignmentOf(path: string, metadata: GgufMetadata): number {
  const value = metadata.get('general.alignment') ?? 32;
  if (typeof value === 'number' && value >= 8 && value <= 1 << 20 && Number.isInteger(Math.log2(value)))
    return value;
  throw badGguf(
    path,
    `its alignment is ${JSON.stringify(value)}: a power of 2 from 8 to ${1 << 20} is needed`,
  );
}

interface TensorInfo {
  readonly shape: readonly number[];
  readonly format: TensorFormat;
  /** From the start of the data. */
  readonly offset: number;
}

function readInfo(reader: HeaderReader, name: string): TensorInfo {
  const rank = reader.uint32();
  if (rank < 1 || rank > maximumRank)
    throw badGguf(reader.path, `tensor \`${name}\` has ${rank} dimensions; 1 to ${maximumRank} are allowed`);
  const shape = Array.from({ length: rank }, () => reader.uint64()).reverse();
  const id = reader.uint32();
  const format = tensorFormatOf(id);
  if (format !== undefined) return { shape, format, offset: reader.uint64() };
  const known = tensorFormatNames.map((each) => `${each} (${tensorFormats[each].id})`).join(', ');
  throw unsupportedGguf(
    reader.path,
    `stores the tensor \`${name}\` in format ${id}; these can be read: ${known}`,
  );
}

function placeTensor({
  path,
  name,
  shape,
  format,
  offset,
  dataStart,
  size,
  alignment,
}: TensorInfo & {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly dataStart: number;
  readonly alignment: number;
}): GgufTensor {
  const fail = (what: string) => badGguf(path, `tensor \`${name}\` ${what}`);
  const { values, bytes } = tensorFormats[format];
  const count = shape.reduce((product, extent) => product * extent, 1);
  const rowLength = shape.at(-1) ?? 0;
  if (shape.some((extent) => extent < 1) || rowLength % values !== 0)
    throw fail(`has the shape [${shape}], which ${format} cannot store in blocks of ${values}`);
  if (offset % alignment !== 0) throw fail(`starts at ${offset}, which is not a multiple of ${alignment}`);
  const begin = dataStart + offset;
  const end = begin + (count / values) * bytes;
  if (end <= size) return { format, shape, begin, end };
  throw fail(`of shape [${shape}] in ${format} would end at byte ${end}, but the file has ${size}`);
}

function refuseOverlaps(path: string, tensors: ReadonlyMap<string, GgufTensor>): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin);
  for (const [index, [name, { begin }]] of inOrder.entries()) {
    const [before, previous] = inOrder[index - 1] ?? [];
    if (previous !== undefined && previous.end > begin)
      throw badGguf(path, `the tensors \`${before}\` and \`${name}\` overlap`);
  }
}
