import { type FileHandle, open } from 'node:fs/promises';
import { elementCount } from '../safetensors/tensor-type.ts';
import { badGguf } from './bad-gguf.ts';
import { dequantize } from './dequantize.ts';
import { type GgufHeader, type GgufTensor, readHeader } from './read-header.ts';
import { tensorFormats } from './tensor-format.ts';

/** How many values are in memory in both forms at once; a multiple of every format's block. */
const chunkValues = 1 << 22;

/** An open GGUF file. Each read takes memory for its own tensor only. */
export interface GgufFile extends GgufHeader, AsyncDisposable {
  readonly path: string;
  /** A tensor's values, row by row, whatever format they are stored in. Throws where there is none of that name. */
  readonly read: (name: string) => Promise<Float32Array>;
}

/** Opens a GGUF file and checks its header; throws a UserError where it is not a valid one, or has tensors in a format that cannot be read. */
export async function openGguf(path: string): Promise<GgufFile> {
  const handle = await open(path, 'r');
  const close = () => handle.close();
  try {
    const { size } = await handle.stat();
    const header = readHeader({ path, descriptor: handle.fd, size });
    const read = (name: string) => {
      const tensor = header.tensors.get(name);
      if (tensor === undefined) throw new Error(`No tensor has the name ${name}`);
      return readTensor({ handle, path, tensor });
    };
    return { ...header, path, read: async (name) => read(name), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface TensorSource {
  readonly handle: FileHandle;
  readonly path: string;
  readonly tensor: GgufTensor;
}

async function readTensor({ handle, path, tensor }: TensorSource): Promise<Float32Array> {
  const { format, shape, begin, end } = tensor;
  const perBlock = tensorFormats[format];
  const chunkBytes = (chunkValues / perBlock.values) * perBlock.bytes;
  const values = new Float32Array(elementCount(shape));
  for (let position = begin, first = 0; position < end; position += chunkBytes, first += chunkValues) {
    const bytes = new Uint8Array(Math.min(chunkBytes, end - position));
    for (let filled = 0; filled < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, position + filled);
      if (bytesRead === 0) throw badGguf(path, 'it became shorter while it was read');
      filled += bytesRead;
    }
    values.set(dequantize(format, bytes.buffer), first);
  }
  return values;
}
