import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { digestOf } from '../key/digest.ts';
import { chunkFor, type HashedFile, hasChanged } from './hash-file.ts';

/** Takes a list of paths and gives a result for each: undefined if it cannot be read, and the caller finds out why. */
parentPort?.on('message', (paths: readonly string[]) => {
  parentPort?.postMessage(paths.map(hashOrNothing));
});

function hashOrNothing(path: string): HashedFile | undefined {
  try {
    return hashFileSync(path);
  } catch {
    return undefined;
  }
}

// This thread has nothing else to do, and synchronous calls cost a fraction of asynchronous ones.
function hashFileSync(path: string): HashedFile | undefined {
  const file = openSync(path, 'r');
  try {
    const before = fstatSync(file, { bigint: true });
    const hash = createHash('sha256');
    const chunk = chunkFor(before);
    for (;;) {
      const count = readSync(file, chunk, 0, chunk.length, null);
      if (count === 0) break;
      hash.update(chunk.subarray(0, count));
    }
    const { size, mtimeNs, ctimeNs, ino } = fstatSync(file, { bigint: true });
    const stat = { size, mtimeNs, ctimeNs, ino };
    return hasChanged(before, stat) ? undefined : { digest: digestOf('file', hash.digest('hex')), stat };
  } finally {
    closeSync(file);
  }
}
