import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../../core/index.ts';
import { checkNesting } from '../json.ts';
import { readFully } from '../read-fully.ts';
import { decodeBfloat16, decodeFloat16, elementCount, type TensorType } from './floats.ts';
import { badSafetensors, parseHeader, type TensorEntry } from './header.ts';

/** The format's own limit. */
const maximumHeaderBytes = 100_000_000;
const chunkElements = 1 << 20;

/** An open safetensors file. A read needs memory for its own tensor only. */
export interface SafetensorsFile extends AsyncDisposable {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** F32, or F16 and BF16 widened. */
  readonly readFloat32: (name: string) => Promise<Float32Array>;
  readonly readInt32: (name: string) => Promise<Int32Array>;
  readonly readBigInt64: (name: string) => Promise<BigInt64Array>;
  readonly readUint8: (name: string) => Promise<Uint8Array>;
  readonly close: () => Promise<void>;
}

/** Opens a safetensors file and checks its header. Throws a UserError if it is invalid. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const handle = await open(path, 'r');
  try {
    return await readableFile(handle, path);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readableFile(handle: FileHandle, path: string): Promise<SafetensorsFile> {
  const { text, dataStart, dataBytes } = await readHeader(handle, path);
  const { metadata, tensors } = parseHeader({ path, text, dataBytes });
  const read = async (name: string, types: readonly TensorType[]) => {
    const entry = findEntry({ path, tensors, name, types });
    const bytes = new Uint8Array(entry.end - entry.begin);
    await fill({ handle, path, bytes, position: dataStart + entry.begin });
    return bytes;
  };
  const close = () => handle.close();
  return {
    path,
    metadata,
    tensors,
    readFloat32: async (name) => {
      const { dtype, shape, begin } = findEntry({ path, tensors, name, types: ['F32', 'F16', 'BF16'] });
      if (dtype === 'F32') return new Float32Array((await read(name, ['F32'])).buffer);
      const decode = dtype === 'F16' ? decodeFloat16 : decodeBfloat16;
      return readHalves({ handle, path, position: dataStart + begin, count: elementCount(shape), decode });
    },
    readInt32: async (name) => new Int32Array((await read(name, ['I32'])).buffer),
    readBigInt64: async (name) => new BigInt64Array((await read(name, ['I64'])).buffer),
    readUint8: async (name) => new Uint8Array((await read(name, ['U8'])).buffer),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function readHeader(handle: FileHandle, path: string) {
  const { size } = await handle.stat();
  if (size < 8) throw badSafetensors(path, `it has only ${size} bytes`);
  const prefix = new Uint8Array(8);
  await fill({ handle, path, bytes: prefix, position: 0 });
  if (new TextDecoder().decode(prefix) === gitLfsPrefix) throw gitLfsPointer(path);
  const declared = new DataView(prefix.buffer).getBigUint64(0, true);
  if (declared > BigInt(maximumHeaderBytes))
    throw badSafetensors(path, `its header claims ${declared} bytes; at most 100 MB are allowed`);
  const headerBytes = Number(declared);
  if (8 + headerBytes > size)
    throw badSafetensors(path, `its header claims ${headerBytes} bytes, but the file has ${size}`);
  const bytes = new Uint8Array(headerBytes);
  await fill({ handle, path, bytes, position: 8 });
  checkNesting(bytes, (what) => badSafetensors(path, `its header ${what}`));
  return { text: decodeHeader(path, bytes), dataStart: 8 + headerBytes, dataBytes: size - 8 - headerBytes };
}

function decodeHeader(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw badSafetensors(path, 'its header is not UTF-8', cause);
  }
}

/** Git leaves a pointer in place of a large file that was not fetched: `version https://git-lfs...`. */
const gitLfsPrefix = 'version ';

const gitLfsPointer = (path: string): UserError =>
  new UserError({
    code: 'git-lfs-pointer',
    message: `${path} is not the file itself but Git LFS's pointer to it`,
    help: 'run `git lfs pull` in the folder, or download the file',
  });

/** Widens 16-bit values chunk by chunk, so that a large tensor is never in memory in both forms. */
async function readHalves({
  handle,
  path,
  position,
  count,
  decode,
}: {
  readonly handle: FileHandle;
  readonly path: string;
  readonly position: number;
  readonly count: number;
  readonly decode: (bits: Uint16Array) => Float32Array;
}): Promise<Float32Array> {
  const values = new Float32Array(count);
  const chunk = new Uint16Array(Math.min(count, chunkElements));
  for (let first = 0; first < count; first += chunk.length) {
    const bits = chunk.subarray(0, Math.min(chunk.length, count - first));
    const bytes = new Uint8Array(bits.buffer, 0, bits.byteLength);
    await fill({ handle, path, bytes, position: position + 2 * first });
    values.set(decode(bits), first);
  }
  return values;
}

/** Fills `bytes` from the file, beginning at `position`. */
const fill = ({
  handle,
  path,
  ...part
}: {
  readonly handle: FileHandle;
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly position: number;
}): Promise<void> => readFully(handle, { ...part, failure: (what) => badSafetensors(path, what) });

function findEntry({
  path,
  tensors,
  name,
  types,
}: {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly name: string;
  readonly types: readonly TensorType[];
}): TensorEntry {
  const entry = tensors.get(name);
  if (entry === undefined)
    throw new UserError({ code: 'missing-tensor', message: `${path} has no tensor \`${name}\`` });
  if (!types.includes(entry.dtype))
    throw new UserError({
      code: 'tensor-type',
      message: `tensor \`${name}\` of ${path} has the type ${entry.dtype}; ${types.join(' or ')} can be read here`,
    });
  return entry;
}
