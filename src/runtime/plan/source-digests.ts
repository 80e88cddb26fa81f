import { existsSync, realpathSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Dag, DagNode, SourceField } from '../graph/dag.ts';
import type { Digest } from '../key/digest.ts';
import type { SourceDigests } from '../key/key-material.ts';
import { isSourcePattern, sourceExists } from '../stage/source-pattern.ts';
import { manifestOf } from '../store/folder-manifest.ts';
import type { FileIdentity, HashedFile } from '../store/hash-file.ts';
import { hashFiles } from '../store/hash-files.ts';
import { listSourceFiles } from '../store/list-files.ts';
import { type Resolution, type Resolutions, readResolution } from '../store/resolution.ts';
import type { StatCache } from '../store/stat-cache.ts';
import type { Store } from '../store/store.ts';
import { type Lock, lockedName } from './lock.ts';

/**
 * The digests of all sources of the stages; a diagnostic for each that cannot be read. A remote source without a known
 * resolution has none.
 */
export async function digestSources(
  nodes: Iterable<DagNode>,
  {
    store: { root, statCache },
    resolutions,
    locked,
  }: {
    readonly store: Store;
    readonly resolutions: Resolutions;
    /** What a local source held that is not on this machine, by its path. */
    readonly locked: (path: string) => Digest | undefined;
  },
): Promise<Result<SourceDigests, readonly Diagnostic[]>> {
  const fields = new Map([...nodes].flatMap(({ sources }) => sources.map((each) => [each.path, each])));
  const digests = new Map<string, Digest>();
  const problems = new Map<string, Diagnostic>();
  for (const field of fields.values()) {
    const isAbsent = field.resolver === undefined && !sourceExists(field.path);
    const known = isAbsent ? locked(field.path) : field.resolver && resolutions.get(field.path)?.digest;
    if (known !== undefined) digests.set(field.path, known);
    if (isAbsent && known !== undefined) continue;
    const problem = field.resolver === undefined && misplaced(field, root);
    if (problem) problems.set(field.path, problem);
  }
  const local = [...fields.values()].filter(
    ({ path, resolver }) => resolver === undefined && !problems.has(path) && !digests.has(path),
  );
  const found = await digestPaths(
    local.map(({ path }) => path),
    statCache,
  );
  for (const [index, field] of local.entries()) {
    const digest = found[index];
    if (digest?.ok === true) digests.set(field.path, digest.value);
    else problems.set(field.path, unreadable(field, digest?.error));
  }
  const inOrder = [...fields.keys()].flatMap((path) => problems.get(path) ?? []);
  return inOrder.length === 0 ? ok(digests) : err(inOrder);
}

/** A diagnostic if the source contains the store or cannot be found. */
function misplaced(field: SourceField, store: string): Diagnostic | undefined {
  try {
    return contains(field.path, store) ? holdsStore(field, store) : undefined;
  } catch (error) {
    return unreadable(field, error);
  }
}

/** Whether a source contains the store, links followed. The store may not exist yet. */
function contains(source: string, store: string): boolean {
  const folder = isSourcePattern(source) ? undefined : realpathSync(source);
  if (folder === undefined) return false;
  const inside = relative(folder, realPathOf(store));
  return inside.split(sep)[0] !== '..' && !isAbsolute(inside);
}

const realPathOf = (path: string): string =>
  existsSync(path) || dirname(path) === path
    ? realpathSync(path)
    : join(realPathOf(dirname(path)), basename(path));

const holdsStore = ({ path, span }: SourceField, store: string): Diagnostic => ({
  code: 'source-holds-store',
  message: `\`${path}\` holds the store \`${store}\`, so every run would change it`,
  span,
  help: 'name the folder or the files that hold the data alone, or put the store elsewhere with --store',
});

function unreadable(field: SourceField, error: unknown): Diagnostic {
  const why = error instanceof Error ? error.message : String(error);
  return { code: 'unreadable-source', message: `\`${field.path}\` cannot be read: ${why}`, span: field.span };
}

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
  const digested = await digestFiles(source.files, statCache);
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
async function digestPaths(
  paths: readonly string[],
  statCache?: StatCache,
): Promise<readonly Result<Digest, unknown>[]> {
  const sources: Result<Source, unknown>[] = [];
  for (const path of paths) sources.push(await filesOf(path).then(ok, err));
  const files = new Set(sources.flatMap((source) => (source.ok ? source.value.files : [])));
  const digested = await digestFiles([...files], statCache);
  return sources.map((source) => (source.ok ? digestOfSource(source.value, digested) : source));
}

/** The absolute paths of the files that a source consists of now. */
export const pathsIn = async (path: string): Promise<readonly string[]> => (await filesOf(path)).files;

interface Source {
  readonly path: string;
  /** The paths of a folder's files from it; undefined if the source is a file. */
  readonly inside: readonly string[] | undefined;
  readonly files: readonly string[];
}

async function filesOf(path: string): Promise<Source> {
  if (isSourcePattern(path)) {
    const inside = await listSourceFiles(path);
    return { path, inside, files: inside.map((name) => join(dirname(path), name)) };
  }
  const found = await stat(path);
  if (found.isFile()) return { path, inside: undefined, files: [path] };
  // Reading from anything else might never end.
  if (!found.isDirectory()) throw new Error(`${path} is neither a file nor a folder`);
  const inside = await listSourceFiles(path);
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
  if (unknown.length === 0) return digested;
  const begun = BigInt(Date.now()) * 1_000_000n;
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

/** The remote sources of the stages, each address once. */
export const remoteSources = (nodes: Iterable<DagNode>): readonly SourceField[] => [
  ...new Map(
    [...nodes].flatMap(({ sources }) =>
      sources.filter(({ resolver }) => resolver !== undefined).map((field) => [field.path, field] as const),
    ),
  ).values(),
];

/** The resolutions of remote sources that are known without the network: from the lock, else from the store. */
export function knownResolutions(
  fields: readonly SourceField[],
  known: { readonly dag: Dag; readonly lock: Lock | undefined; readonly store?: Store },
): Resolutions {
  const { dag, lock, store } = known;
  return new Map(
    fields.flatMap((field): readonly (readonly [string, Resolution])[] => {
      const resolution =
        lock?.sources.get(lockedName(dag, field)) ?? (store && readResolution(store, field.path));
      return resolution === undefined ? [] : [[field.path, resolution]];
    }),
  );
}
