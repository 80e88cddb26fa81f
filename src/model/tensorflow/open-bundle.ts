import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { badCheckpoint } from './bad-checkpoint.ts';
import { type BundleEntry, parseBundleEntry, parseBundleHeader } from './bundle-entry.ts';
import { crc32c, maskedCrc32c } from './crc32c.ts';
import { readTable } from './read-table.ts';

/** GPT-2's have some 5 KB. */
const mostIndexBytes = 64 * 2 ** 20;
const float32 = 1;

/** The float32 tensors of a checkpoint that TensorFlow's Saver wrote: `<prefix>.index` and its data file. */
export interface Bundle extends AsyncDisposable {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The values of a tensor, row by row. */
  readonly read: (name: string) => Promise<Float32Array>;
}

/** Opens a checkpoint. Every size and place is held against the files before anything is read. */
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
    const bytes = await readEntry(file, entry);
    if (maskedCrc32c(crc32c(bytes)) !== entry.checksum)
      throw badCheckpoint(path, `is damaged: the checksum of \`${name}\` is wrong`);
    return new Float32Array(bytes.buffer);
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
    throw badCheckpoint(path, `is no index of a checkpoint: ${error.message}`);
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
    throw badCheckpoint(path, `has \`${name}\`, which is no whole tensor of float32`);
  const bytes = shape.reduce((product, extent) => product * extent, 4);
  if (bytes !== size || offset + size > fileBytes)
    throw badCheckpoint(
      path,
      `has ${fileBytes} bytes and cannot hold \`${name}\`: ${size} bytes at ${offset} of shape [${shape}]`,
    );
}

/** Low byte first is what every processor that Node runs on has. */
async function readEntry(file: FileHandle, { offset, size }: BundleEntry): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size; ) {
    const { bytesRead } = await file.read(bytes, done, size - done, offset + done);
    if (bytesRead === 0) throw new RangeError('the data file became shorter while it was read');
    done += bytesRead;
  }
  return bytes;
}
