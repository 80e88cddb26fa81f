import { type FileHandle, open } from 'node:fs/promises';
import { elementCount, tensorBytes, tensorTypes } from './floats.ts';

/** Element type in the file -> the array that holds it. */
interface ArrayOf {
  readonly F32: Float32Array;
  /** Its bits; see encodeFloat16. */
  readonly F16: Uint16Array;
  /** Its bits; see encodeBfloat16. */
  readonly BF16: Uint16Array;
  readonly I32: Int32Array;
  readonly I64: BigInt64Array;
  readonly U8: Uint8Array;
}

/** A tensor to write; `read` is called once, right before it is written, so that only one tensor is in memory at a time. */
export type TensorToWrite = {
  readonly [Type in keyof ArrayOf]: {
    readonly name: string;
    readonly dtype: Type;
    readonly shape: readonly number[];
    readonly read: () => ArrayOf[Type] | Promise<ArrayOf[Type]>;
  };
}[keyof ArrayOf];

/**
 * Writes a safetensors file whose bytes depend on the content only, not on its order. Tensors are in the reference
 * implementation's order (widest type first, then by name), which keeps each aligned to its own type.
 */
export async function writeSafetensors(
  path: string,
  content: {
    readonly tensors: Iterable<TensorToWrite>;
    readonly metadata?: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const tensors = [...content.tensors].sort(inFileOrder);
  const handle = await open(path, 'w');
  try {
    await writeAll(handle, encodeHeader(tensors, content.metadata));
    for (const tensor of tensors) {
      const data = await tensor.read();
      if (data.length !== elementCount(tensor.shape))
        throw new RangeError(
          `tensor ${tensor.name} has ${data.length} elements, not [${tensor.shape.join(', ')}]`,
        );
      await writeAll(handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  } finally {
    await handle.close();
  }
}

function inFileOrder(a: TensorToWrite, b: TensorToWrite): number {
  const byType = tensorTypes.indexOf(b.dtype) - tensorTypes.indexOf(a.dtype);
  return byType || (a.name < b.name ? -1 : Number(a.name > b.name));
}

function encodeHeader(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  const entries: [string, unknown][] = [];
  if (metadata !== undefined) entries.push(['__metadata__', sortedByKey(metadata)]);
  let begin = 0;
  const names = new Set<string>();
  for (const { name, dtype, shape } of tensors) {
    if (names.has(name)) throw new RangeError(`two tensors have the name ${name}`);
    names.add(name);
    const end = begin + tensorBytes(dtype, shape);
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
    begin = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const padded = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, 8);
  return header;
}

const sortedByKey = (record: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : Number(a > b))));

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const chunk = Math.min(64 * 1024 * 1024, bytes.length - written);
    written += (await handle.write(bytes, written, chunk)).bytesWritten;
  }
}
