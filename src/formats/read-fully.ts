import type { FileHandle } from 'node:fs/promises';

/** Node reads at most 2 GiB in one call. */
const readBytes = 64 * 1024 * 1024;

/** Fills `bytes` from the file, beginning at `position`; throws the error of `failure` if the file ends before. */
export async function readFully(
  handle: FileHandle,
  {
    bytes,
    position,
    failure,
  }: { readonly bytes: Uint8Array; readonly position: number; readonly failure: (what: string) => Error },
): Promise<void> {
  for (let filled = 0; filled < bytes.length; ) {
    const length = Math.min(readBytes, bytes.length - filled);
    const { bytesRead } = await handle.read(bytes, filled, length, position + filled);
    if (bytesRead === 0) throw failure('it became shorter while it was read');
    filled += bytesRead;
  }
}
