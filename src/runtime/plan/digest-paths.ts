import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import type { Digest } from '../store/digest.ts';
import { manifestOf } from '../store/folder-manifest.ts';
import type { FileIdentity, HashedFile } from '../store/hash-file.ts';
import { hashFiles } from '../store/hash-files.ts';
import { listFiles } from '../store/ingest.ts';
import type { StatCache } from '../store/stat-cache.ts';

/** The digest of a file or a folder outside the store. Without a cache every byte is read. */
export async function digestPath(path: string, statCache?: StatCache): Promise<Digest> {
  const [result] = await digestPaths([path], statCache);
  if (result?.ok === true) return result.value;
  throw result?.error;
}

/** As digestPath for many at once, their files hashed side by side; a result for each path, in order. */
export async function digestPaths(
  paths: readonly string[],
  statCache?: StatCache,
): Promise<readonly Result<Digest, unknown>[]> {
  const sources: Result<Source, unknown>[] = [];
  for (const path of paths) sources.push(await filesOf(path).then(ok, err));
  const files = new Set(sources.flatMap((source) => (source.ok ? source.value.files : [])));
  const digested = await digestFiles([...files], statCache);
  return sources.map((source) => (source.ok ? digestOfSource(source.value, digested) : source));
}

interface Source {
  readonly path: string;
  /** In a folder, paths from it; undefined: the source is a file. */
  readonly inside: readonly string[] | undefined;
  readonly files: readonly string[];
}

async function filesOf(path: string): Promise<Source> {
  const found = await stat(path);
  if (found.isFile()) return { path, inside: undefined, files: [path] };
  // Reading from anything else could go on for ever.
  if (!found.isDirectory()) throw new Error(`${path} is neither a file nor a folder`);
  const inside = await listFiles(path, { links: 'inside' });
  return { path, inside, files: inside.map((name) => join(path, name)) };
}

type DigestedFiles = ReadonlyMap<string, Result<HashedFile, unknown>>;

function digestOfSource({ path, inside, files }: Source, digested: DigestedFiles): Result<Digest, unknown> {
  const found: HashedFile[] = [];
  for (const file of files) {
    const result = digested.get(file);
    if (result?.ok !== true) return err(result?.error);
    found.push(result.value);
  }
  const [only] = found;
  if (inside === undefined) return only === undefined ? err(new Error(`${path} is gone`)) : ok(only.digest);
  const rows = found.map(({ digest, stat }, index) => ({
    path: inside[index] ?? '',
    digest,
    size: Number(stat.size),
  }));
  return ok(manifestOf(rows).digest);
}

async function digestFiles(
  paths: readonly string[],
  statCache: StatCache | undefined,
): Promise<DigestedFiles> {
  const digested = new Map<string, Result<HashedFile, unknown>>();
  const unknown: string[] = [];
  for (const path of paths) {
    const known = statCache && knownFile(path, statCache);
    if (known === undefined) unknown.push(path);
    else digested.set(path, ok(known));
  }
  const begun = BigInt(Date.now()) * 1_000_000n;
  for (const [index, result] of (await hashFiles(unknown)).entries()) {
    const path = unknown[index] ?? '';
    digested.set(path, result);
    if (result.ok && isSettled(result.value.stat, begun)) statCache?.remember(path, result.value);
  }
  return digested;
}

// One small synchronous call: the asynchronous one takes several times as long, and there may be 100,000 files.
function knownFile(path: string, statCache: StatCache): HashedFile | undefined {
  const seen = statSync(path, { bigint: true, throwIfNoEntry: false });
  const digest = seen && statCache.find(path, seen);
  return digest && { digest, stat: seen };
}

/**
 * Whether any write after `now` must give the file another time. File systems step their clocks by up to 10 ms, some by
 * 2 s; a file written within the present step could change again and look the same. `now` is in nanoseconds.
 */
function isSettled(stat: FileIdentity, now: bigint): boolean {
  const second = 1_000_000_000n;
  const step = stat.mtimeNs % second === 0n ? 2n * second : second / 50n;
  return now - stat.mtimeNs > step && now - stat.ctimeNs > step;
}
