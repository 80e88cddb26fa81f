import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import type { Digest } from '../key/digest.ts';
import { isSourcePattern } from '../stage/source-pattern.ts';
import { manifestOf } from '../store/folder-manifest.ts';
import type { FileIdentity, HashedFile } from '../store/hash-file.ts';
import { hashFiles } from '../store/hash-files.ts';
import { listSourceFiles } from '../store/list-files.ts';
import type { StatCache } from '../store/stat-cache.ts';

/** A file or folder outside the store, with its files by their absolute paths. */
export interface ReadSource {
  readonly path: string;
  /** What the names of its files begin at: itself, or a pattern's folder. */
  readonly folder: string;
  readonly digest: Digest;
  readonly files: ReadonlyMap<string, HashedFile>;
}

/** Reads a file or folder outside the store. Without a cache, reads every byte. */
export async function readSource(path: string, statCache?: StatCache): Promise<ReadSource> {
  const source = await filesOf(path);
  const digested = await digestFiles(absolutePaths(source), statCache);
  const digest = digestOfSource(source, digested);
  if (!digest.ok) throw digest.error;
  const files = [...digested].flatMap(([file, result]) => (result.ok ? [[file, result.value] as const] : []));
  const folder = isSourcePattern(path) ? dirname(path) : path;
  return { path, folder, digest: digest.value, files: new Map(files) };
}

/** The digest of a file or folder outside the store. Without a cache, reads every byte. */
export const digestPath = async (path: string, statCache?: StatCache): Promise<Digest> =>
  (await readSource(path, statCache)).digest;

/** The digests of many paths, whose files are hashed together; a result for each path, in order. */
export async function digestPaths(
  paths: readonly string[],
  statCache: StatCache,
): Promise<readonly Result<Digest, unknown>[]> {
  const found = new Map<string, Result<Digest, unknown>>();
  const sources = new Map<string, Source>();
  for (const path of paths) {
    const source = await filesOf(path).then(ok, err);
    const known = source.ok ? knownFolder(source.value, statCache) : source;
    if (known !== undefined) found.set(path, known);
    else if (source.ok) sources.set(path, source.value);
  }
  const begun = now();
  const files = new Set([...sources.values()].flatMap(absolutePaths));
  const digested = await digestFiles([...files], statCache);
  for (const [path, source] of sources) {
    const digest = digestOfSource(source, digested);
    found.set(path, digest);
    const stats = absolutePaths(source).flatMap((file) => statIn(digested, file) ?? []);
    const { inside } = source;
    if (digest.ok && inside !== undefined && stats.every((each) => isSettled(each, begun)))
      statCache.rememberFolder(path, { inside, stats, digest: digest.value });
  }
  return paths.map((path) => found.get(path) ?? err(new Error(`${path} was not read`)));
}

const statIn = (digested: DigestedFiles, file: string): FileIdentity | undefined => {
  const result = digested.get(file);
  return result?.ok ? result.value.stat : undefined;
};

/**
 * The digest of a folder whose files are all as they were. Of 10,000 files, looking each up and writing the manifest would
 * take as long as asking the system about them.
 */
function knownFolder({ path, inside }: Source, statCache: StatCache): Result<Digest, unknown> | undefined {
  if (inside === undefined || isSourcePattern(path)) return undefined;
  const digest = statCache.findFolder(path, { inside, stats: statsIn(path, inside) });
  return digest && ok(digest);
}

/** One at a time: collecting 10,000 of them as garbage would take longer than asking for them. */
function* statsIn(path: string, inside: readonly string[]): Generator<FileIdentity> {
  for (const name of inside) {
    const seen = statSync(`${path}${sep}${name}`, { bigint: true, throwIfNoEntry: false });
    if (seen === undefined) return;
    yield seen;
  }
}

/** The absolute paths of the files that a source consists of now. */
export const pathsIn = async (path: string): Promise<readonly string[]> => absolutePaths(await filesOf(path));

interface Source {
  readonly path: string;
  /** The paths of a folder's files from it; undefined if the source is a file. */
  readonly inside: readonly string[] | undefined;
}

const absolutePaths = ({ path, inside }: Source): readonly string[] => {
  const folder = isSourcePattern(path) ? dirname(path) : path;
  return inside?.map((name) => join(folder, name)) ?? [path];
};

async function filesOf(path: string): Promise<Source> {
  if (isSourcePattern(path)) return { path, inside: await listSourceFiles(path) };
  const found = await stat(path);
  if (found.isFile()) return { path, inside: undefined };
  // Reading from anything else might never end.
  if (!found.isDirectory()) throw new Error(`${path} is neither a file nor a folder`);
  return { path, inside: await listSourceFiles(path) };
}

type DigestedFiles = ReadonlyMap<string, Result<HashedFile, unknown>>;

function digestOfSource(source: Source, digested: DigestedFiles): Result<Digest, unknown> {
  const { path, inside } = source;
  const found: HashedFile[] = [];
  for (const file of absolutePaths(source)) {
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

/** In nanoseconds. */
const now = (): bigint => BigInt(Date.now()) * 1_000_000n;

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
  if (unknown.length === 0) return digested;
  const begun = now();
  for (const [index, result] of (await hashFiles(unknown)).entries()) {
    const path = unknown[index] ?? '';
    digested.set(path, result);
    if (result.ok && isSettled(result.value.stat, begun)) statCache?.remember(path, result.value);
  }
  return digested;
}

// Synchronous: the asynchronous call takes several times as long, and there may be 100,000 files.
function knownFile(path: string, statCache: StatCache): HashedFile | undefined {
  const seen = statSync(path, { bigint: true, throwIfNoEntry: false });
  const digest = seen && statCache.find(path, seen);
  return digest && { digest, stat: seen };
}

/**
 * Whether any write after `now`, in nanoseconds, must change the file's times. File systems advance their clocks in steps
 * of up to 10 ms, some of 2 s; a file written within the present step could change again and look the same.
 */
export function isSettled(stat: FileIdentity, now: bigint): boolean {
  const second = 1_000_000_000n;
  const step = stat.mtimeNs % second === 0n ? 2n * second : second / 50n;
  return now - stat.mtimeNs > step && now - stat.ctimeNs > step;
}
