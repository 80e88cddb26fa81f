import { lstatSync, statSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import type { DagNode } from '../graph/dag.ts';
import type { SourceDigests } from '../key/key-material.ts';
import { isSettled, pathsIn, type ReadSource, readSource } from '../plan/read-source.ts';
import { isSourcePattern, sourceExists } from '../stage/source-pattern.ts';
import { type FileIdentity, hashFile, isSameFile, wasTouched } from '../store/hash-file.ts';
import type { Store } from '../store/store.ts';

/** What a stage reads outside the store, as it was just before the stage started. */
export interface WatchedSources {
  /** The path of the first file or folder that has been written to since, even if it is as before again. */
  readonly changed: () => Promise<string | undefined>;
  /** Files that have appeared since, beside those that a program of the user's was given. */
  readonly appeared: () => Promise<readonly string[]>;
}

/**
 * Watches the local sources of a stage and further files. An error is the path of a source that is not what the key says
 * any more. A program of the user's may write new files beside those that it reads: only the files that were there count.
 */
export async function watchSources(
  node: Pick<DagNode, 'sources'>,
  watch: {
    readonly sources: SourceDigests;
    readonly store: Store;
    /** Absolute paths. */
    readonly files: readonly string[];
    readonly mayGrow: boolean;
  },
): Promise<Result<WatchedSources, string>> {
  const { sources, store, mayGrow } = watch;
  const read: ReadSource[] = [];
  const begun = BigInt(Date.now()) * 1_000_000n;
  // Remote sources are read from the store, which checks its contents.
  const local = node.sources
    .filter(({ resolver }) => resolver === undefined)
    .map(({ path }) => path)
    // So is one that is not on this machine.
    .filter(sourceExists);
  for (const path of new Set([...local, ...watch.files])) {
    const found = await readSource(path, store.statCache).catch(() => undefined);
    if (found === undefined || (sources.get(path) ?? found.digest) !== found.digest) return err(path);
    read.push(found);
  }
  const others = new Map([...linksOf(read), ...(mayGrow ? [] : foldersOf(read))]);
  return ok({
    changed: async () => {
      for (const [path, stat] of others) if (wasTouched(stat, entryAt(path))) return path;
      for (const { path, files } of read) {
        for (const [file, hashed] of files) if (await isOther(file, hashed, begun)) return file;
        const [added] = mayGrow ? [] : await newIn({ path, files });
        if (added !== undefined) return added;
      }
      return undefined;
    },
    appeared: async () => (await Promise.all(read.map(newIn))).flat(),
  });
}

const statOf = (path: string) => statSync(path, { bigint: true, throwIfNoEntry: false });

/** What a path itself is, also if that is a link. */
const entryAt = (path: string) => lstatSync(path, { bigint: true, throwIfNoEntry: false });

/** The links by which files are read: one could lead elsewhere for a time. */
function* linksOf(read: readonly ReadSource[]): Generator<readonly [string, FileIdentity]> {
  for (const { path, files } of read)
    for (const name of new Set([path, ...files.keys()])) {
      const entry = entryAt(name);
      if (entry?.isSymbolicLink() === true) yield [name, entry];
    }
}

/** The folders of folders' files, whose times show files that came and went. */
function* foldersOf(read: readonly ReadSource[]): Generator<readonly [string, FileIdentity]> {
  const paths = new Set<string>();
  for (const { path, files } of read) {
    if (files.has(path)) continue;
    // Beside a pattern's files others may come and go; a new one that matches is found by its name.
    if (isSourcePattern(path)) continue;
    paths.add(`${path}${sep}`);
    for (const file of files.keys())
      for (let folder = dirname(file); folder.length > path.length; folder = dirname(folder))
        paths.add(`${folder}${sep}`);
  }
  for (const path of paths) {
    const entry = entryAt(path);
    if (entry !== undefined) yield [path, entry];
  }
}

/** Whether a file has been written to. Its bytes are read only if its times cannot tell. */
async function isOther(
  path: string,
  { digest, stat }: { readonly digest: string; readonly stat: FileIdentity },
  begun: bigint,
): Promise<boolean> {
  const present = statOf(path);
  if (wasTouched(stat, present)) return true;
  if (present !== undefined && isSameFile(stat, present) && isSettled(stat, begun)) return false;
  return (await hashFile(path).catch(() => undefined))?.digest !== digest;
}

async function newIn({ path, files }: Pick<ReadSource, 'path' | 'files'>): Promise<readonly string[]> {
  const now = await pathsIn(path).catch((): string[] => []);
  return now.filter((file) => !files.has(file));
}
