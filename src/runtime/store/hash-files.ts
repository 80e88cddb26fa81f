import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { err, ok, type Result } from '../../core/index.ts';
import { type HashedFile, hashFile } from './hash-file.ts';

/** Starting threads takes about this long. */
const patienceMilliseconds = 50;
/** A larger file is worth a thread if others wait. */
const mostBytesAlone = 1 << 24;

/**
 * Hashes files, with a thread on every core if there are many bytes; gives a result for each path, in order. `onHashed`
 * is called as files are done.
 */
export async function hashFiles(
  paths: readonly string[],
  onHashed: (files: readonly HashedFile[]) => void = () => {},
): Promise<readonly Result<HashedFile, unknown>[]> {
  const results: Result<HashedFile, unknown>[] = [];
  const hashAlone = async (path: string): Promise<void> => {
    const result = await hashOne(path);
    results.push(result);
    if (result.ok) onHashed([result.value]);
  };
  const begun = performance.now();
  const isAloneFaster = (path: string): boolean =>
    performance.now() - begun < patienceMilliseconds && sizeOf(path) < mostBytesAlone;
  for (const path of paths) {
    const isLast = results.length === paths.length - 1;
    if (!isLast && !isAloneFaster(path)) break;
    await hashAlone(path);
  }
  const rest = paths.slice(results.length);
  if (rest.length === 0) return results;
  const inThreads = await hashInThreads(rest, onHashed);
  for (const [index, path] of rest.entries()) {
    const hashed = inThreads[index];
    if (hashed === undefined) await hashAlone(path);
    else results.push(ok(hashed));
  }
  return results;
}

async function hashOne(path: string): Promise<Result<HashedFile, unknown>> {
  try {
    return ok(await hashFile(path));
  } catch (error) {
    return err(error);
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Beside this module once the program is built. Without it no threads are used. */
const program = new URL('./hash-worker.js', import.meta.url);

/** Large enough that messages cost little, small enough that all threads end together. */
const mostInBatch = 64;
const batchesPerThread = 16;

/** Hashes files in one thread per core; undefined for a file that cannot be read. `onHashed` is called for each batch. */
async function hashInThreads(
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
