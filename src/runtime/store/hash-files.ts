import { statSync } from 'node:fs';
import { err, ok, type Result } from '../../core/index.ts';
import { type HashedFile, hashFile } from './hash-file.ts';

/** Starting threads takes about as long. */
const patienceMilliseconds = 50;
/** A file beyond it is worth a thread, where others wait. */
const mostBytesAlone = 1 << 24;

/**
 * Hashes many files, in threads on every core where there is much to do; a result for each path, in order. `onHashed`
 * hears of files as they are done.
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
  const { hashInThreads } = await import('./hash-in-threads.ts');
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
