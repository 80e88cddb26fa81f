import { stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type Digest, digestOf, digestsAt, hexOf, isFolderDigest } from '../key/digest.ts';
import { parseCacheKey } from '../key/key-material.ts';
import { type ActionRecord, readRecord } from './action-records.ts';
import { findManifest } from './folder-manifest.ts';
import { hashFiles } from './hash-files.ts';
import { listFiles } from './list-files.ts';
import { listRunIds, readRun } from './run-records.ts';
import type { Store } from './store.ts';
import { blobPath, runPath, storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

/** The result of checking every byte of a store. */
export interface StoreReport {
  readonly blobs: number;
  readonly bytes: number;
  readonly records: number;
  /** Those with outputs that only the remote has which gave them: nothing is lost. */
  readonly remote: number;
  readonly runs: number;
  /** Empty: the store is sound. */
  readonly problems: readonly StoreProblem[];
}

export interface StoreProblem {
  readonly kind: 'damaged-blob' | 'misplaced-file' | 'unreadable-record' | 'lost-output' | 'unreadable-run';
  /** From the store's root. */
  readonly path: string;
  /** What is wrong, as a sentence without its full stop. */
  readonly message: string;
}

/** The number of blobs and bytes read so far. */
export interface VerifyProgress {
  readonly done: number;
  readonly total: number;
  readonly bytes: number;
}

/**
 * Reads everything again: checks every blob against its name, every record against its key, and every output that a record
 * names. Later runs do not trust what is found damaged.
 */
export async function verifyStore(
  store: Store,
  onProgress: (progress: VerifyProgress) => void = () => {},
): Promise<StoreReport> {
  const blobs = await verifyBlobs(store, onProgress);
  const records = await verifyRecords(store, blobs.sound);
  const runs = listRunIds(store);
  const lostRuns = runs
    .filter((run) => readRun(store, run) === undefined)
    .map(
      (run): StoreProblem => ({
        kind: 'unreadable-run',
        path: runPath(run),
        message: 'is not the record of a run',
      }),
    );
  await store.statCache.save();
  return {
    blobs: blobs.count,
    bytes: blobs.bytes,
    records: records.count,
    remote: records.remote,
    runs: runs.length,
    problems: [...blobs.problems, ...records.problems, ...lostRuns],
  };
}

async function verifyBlobs(
  store: Store,
  onProgress: (progress: VerifyProgress) => void,
): Promise<{
  readonly count: number;
  readonly bytes: number;
  /** The hexadecimal digests of the blobs whose bytes match their names. */
  readonly sound: ReadonlySet<string>;
  readonly problems: readonly StoreProblem[];
}> {
  const problems: StoreProblem[] = [];
  const sound = new Set<string>();
  const blobs: { readonly path: string; readonly hex: string }[] = [];
  for (const inside of await filesBelow(store, storeLayout.blobs)) {
    const path = join(storeLayout.blobs, inside);
    const hex = inside.split(sep).join('/').replace('/', '');
    if (!/^[0-9a-f]{64}$/.test(hex) || blobPath(digestOf('file', hex)) !== path)
      problems.push({ kind: 'misplaced-file', path, message: 'is no blob' });
    else blobs.push({ path, hex });
  }
  let [count, bytes] = [0, 0];
  const paths = blobs.map(({ path }) => join(store.root, path));
  const results = await hashFiles(paths, (files) => {
    count += files.length;
    for (const { stat } of files) bytes += Number(stat.size);
    onProgress({ done: count, total: blobs.length, bytes });
  });
  for (const [index, { path, hex }] of blobs.entries()) {
    const result = results[index];
    if (result?.ok !== true) throw result?.error;
    store.statCache.remember(path, result.value);
    if (hexOf(result.value.digest) === hex) sound.add(hex);
    else problems.push({ kind: 'damaged-blob', path, message: `holds the bytes of ${result.value.digest}` });
  }
  return { count, bytes, sound, problems };
}

async function verifyRecords(
  store: Store,
  sound: ReadonlySet<string>,
): Promise<{ readonly count: number; readonly remote: number; readonly problems: readonly StoreProblem[] }> {
  let remote = 0;
  const problems: StoreProblem[] = [];
  const files = await filesBelow(store, storeLayout.actions);
  for (const inside of files) {
    const path = join(storeLayout.actions, inside);
    const key = parseCacheKey(inside.slice(3, -'.json'.length));
    const found = key === undefined ? undefined : readRecord(store, key);
    if (found?.kind !== 'usable') {
      problems.push({ kind: 'unreadable-record', path, message: 'is no record of the key in its name' });
    } else {
      const messages = lostOutputs(store, { record: found.record, sound });
      if (found.remote === undefined) problems.push(...messages.map((message) => lost(path, message)));
      else if (messages.length > 0) remote += 1;
    }
  }
  return { count: files.length, remote, problems };
}

const lost = (path: string, message: string): StoreProblem => ({ kind: 'lost-output', path, message });

function lostOutputs(
  store: Store,
  { record, sound }: { readonly record: ActionRecord; readonly sound: ReadonlySet<string> },
): readonly string[] {
  return Object.entries(record.outputs).flatMap(([port, content]) =>
    [...digestsAt(content)]
      .filter(({ digest }) => !isWhole(store, { digest, sound }))
      .map(({ part }) => `its output \`${part === undefined ? port : `${port}.${part}`}\` is not whole`),
  );
}

function isWhole(
  store: Store,
  content: { readonly digest: Digest; readonly sound: ReadonlySet<string> },
): boolean {
  const { digest, sound } = content;
  if (!sound.has(hexOf(digest))) return false;
  return (
    !isFolderDigest(digest) ||
    findManifest(store, digest)?.every((file) => sound.has(hexOf(file.digest))) === true
  );
}

async function filesBelow(store: Store, folder: string): Promise<readonly string[]> {
  try {
    await stat(join(store.root, folder));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
  return listFiles(join(store.root, folder));
}
