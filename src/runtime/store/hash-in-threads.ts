import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { HashedFile } from './hash-file.ts';

/** Beside this module once the program is built; without it the caller hashes by itself. */
const program = new URL('./hash-worker.js', import.meta.url);

/** Enough files at a time that a message costs little beside them, few enough that all threads end together. */
const mostInBatch = 64;
const batchesPerThread = 16;

/**
 * Hashes files in a thread for each core; undefined for what could not be read. `onHashed` hears of every batch as it
 * ends.
 */
export async function hashInThreads(
  paths: readonly string[],
  onHashed: (files: readonly HashedFile[]) => void,
): Promise<readonly (HashedFile | undefined)[]> {
  const hashed: (HashedFile | undefined)[] = paths.map(() => undefined);
  if (!existsSync(program)) return hashed;
  const threads = Math.min(availableParallelism(), paths.length);
  const size = Math.max(1, Math.min(mostInBatch, Math.floor(paths.length / threads / batchesPerThread)));
  let next = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(fileURLToPath(program));
    try {
      while (next < paths.length) {
        const start = next;
        next += size;
        worker.postMessage(paths.slice(start, start + size));
        const [batch]: readonly (HashedFile | undefined)[][] = await once(worker, 'message');
        for (const [index, file] of (batch ?? []).entries()) hashed[start + index] = file;
        onHashed((batch ?? []).filter((file) => file !== undefined));
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return hashed;
}
