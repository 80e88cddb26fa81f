import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { openSafetensors } from '../../formats/index.ts';
import { blobFile, type Digest, isFolderDigest, readManifest, type Store } from '../../runtime/index.ts';

/** The first place at which two contents differ, in words. */
export async function differenceIn({ first, again }: ContentPair): Promise<string> {
  if (isFolderDigest(first.digest) !== isFolderDigest(again.digest))
    return 'one is a file, the other a folder';
  if (!isFolderDigest(first.digest)) return await differenceOfFiles(pathOf(first), pathOf(again));
  const files = readManifest(first.store, first.digest);
  const others = new Map(readManifest(again.store, again.digest).map((file) => [file.path, file]));
  for (const file of files) {
    const other = others.get(file.path);
    if (other === undefined) return `${file.path}: it was not written again`;
    if (other.digest !== file.digest) {
      const [path, otherPath] = [pathOf({ ...first, ...file }), pathOf({ ...again, ...other })];
      return `${file.path}: ${await differenceOfFiles(path, otherPath)}`;
    }
  }
  return 'files that were not there before';
}

/** One content in two stores. */
interface ContentPair {
  readonly first: { readonly store: Store; readonly digest: Digest };
  readonly again: { readonly store: Store; readonly digest: Digest };
}

const pathOf = ({ store, digest }: { readonly store: Store; readonly digest: Digest }): string =>
  blobFile(store, digest);

/** Tensors are compared by name, all other files line by line. */
async function differenceOfFiles(first: string, again: string): Promise<string> {
  return (await differenceOfTensors(first, again)) ?? (await differenceOfLines(first, again));
}

async function differenceOfTensors(first: string, again: string): Promise<string | undefined> {
  try {
    await using one = await openSafetensors(first);
    await using other = await openSafetensors(again);
    let differing = 0;
    let named: string | undefined;
    let largest = 0;
    for (const [name, { dtype }] of one.tensors) {
      if (!other.tensors.has(name)) return `the tensor ${name} was not written again`;
      if (dtype !== 'F32') continue;
      const [values, others] = [await one.readFloat32(name), await other.readFloat32(name)];
      const most = values.reduce((max, value, at) => Math.max(max, Math.abs(value - (others[at] ?? 0))), 0);
      if (most === 0) continue;
      differing += 1;
      named ??= name;
      largest = Math.max(largest, most);
    }
    return named === undefined
      ? undefined
      : `${differing} of ${one.tensors.size} tensors, the first of them ${named}; the largest difference is ${largest.toExponential(1)}`;
  } catch {
    return undefined; // not safetensors: compare lines
  }
}

async function differenceOfLines(first: string, again: string): Promise<string> {
  const [one, other] = [linesOf(first), linesOf(again)];
  for (let line = 1; ; line += 1) {
    const [left, right] = [await one.next(), await other.next()];
    if (left.done && right.done) return 'the bytes between lines';
    if (left.done || right.done) return `line ${line} is only in ${left.done ? 'the rerun' : 'the first'}`;
    if (left.value === right.value) continue;
    const id = idIn(left.value);
    return `line ${line}${id === undefined ? '' : ` (record ${id})`}`;
  }
}

const linesOf = (path: string): AsyncIterator<string> =>
  createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })[
    Symbol.asyncIterator
  ]();

function idIn(line: string): string | undefined {
  try {
    const { id }: { id?: unknown } = JSON.parse(line);
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}
