import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { isSourcePattern, matchingNames } from '../stage/source-pattern.ts';
import { hasErrorCode } from './system-error.ts';

/** The regular files below a folder, as relative paths with `/`, sorted by code unit. Follows all links. */
export async function listFiles(folder: string): Promise<readonly string[]> {
  const paths: string[] = [];
  await collect(paths, { folder, inside: '', above: [], homes: undefined });
  return paths.sort();
}

/**
 * As listFiles, for a folder of the user's, or for the files of one that a pattern matches. Follows only links that stay inside the folder, so that data from elsewhere
 * cannot name files outside it. Leaves out what tools write beside other files for themselves.
 */
export async function listSourceFiles(folder: string): Promise<readonly string[]> {
  if (isSourcePattern(folder)) return matchingFiles(folder);
  const paths: string[] = [];
  const real = await realpath(folder);
  await collect(paths, { folder, inside: '', above: [], homes: [real, ...cacheOf(real)] });
  return paths.sort();
}

async function matchingFiles(pattern: string): Promise<readonly string[]> {
  const names = matchingNames(pattern);
  if (names.length === 0) throw new Error('no file matches it');
  const folder = await realpath(dirname(pattern));
  for (const name of names) {
    const path = join(folder, name);
    if ((await lstat(path)).isSymbolicLink()) await refuseEscape(path, [folder, ...cacheOf(folder)]);
    if (!(await follow(path)).isFile()) throw new Error(`${path} is no file`);
  }
  return names;
}

/** Folders and files that are no content: those of version control, caches of tools, settings of file managers. */
const leftOut = new Set([
  ...['.git', '.hg', '.svn', '__pycache__', '.pytest_cache', '.mypy_cache', '.ruff_cache'],
  ...['.DS_Store', 'Thumbs.db', 'desktop.ini'],
]);

/** Python compiles `x.py` to `x.pyc`; alone, an `x.pyc` is a module. Emacs locks `x` by a broken link, `.#x`. */
const isLeftOut = (name: string, beside: ReadonlySet<string>): boolean =>
  leftOut.has(name) || name.startsWith('.#') || (name.endsWith('.pyc') && beside.has(name.slice(0, -1)));

interface Walk {
  readonly folder: string;
  readonly inside: string;
  /** The real paths of the folders above, to detect a link that leads back. */
  readonly above: readonly string[];
  /** Real paths of the folders that links of a user's folder may lead into; undefined for other folders. */
  readonly homes: readonly string[] | undefined;
}

async function collect(paths: string[], place: Walk): Promise<void> {
  const real = await realpath(place.folder);
  if (place.above.includes(real)) throw new Error(`${place.folder} is a link to a folder that contains it`);
  const entries = await readdir(place.folder, { withFileTypes: true });
  const names = new Set(entries.map(({ name }) => name));
  for (const entry of entries) {
    if (place.homes !== undefined && isLeftOut(entry.name, names)) continue;
    const inside = place.inside === '' ? entry.name : `${place.inside}/${entry.name}`;
    if (isPlain(entry) && entry.isFile()) {
      paths.push(inside);
      continue;
    }
    const path = join(place.folder, entry.name);
    if (entry.isSymbolicLink() && place.homes !== undefined) await refuseEscape(path, place.homes);
    const found = isPlain(entry) ? entry : await follow(path);
    if (found.isDirectory())
      await collect(paths, { ...place, folder: path, inside, above: [...place.above, real] });
    else if (found.isFile()) paths.push(inside);
    else throw new Error(`${path} is neither a file nor a folder`);
  }
}

/** Whether the folder's entry tells everything: that saves one stat for each of 100,000 files. */
const isPlain = (entry: Dirent): boolean => !entry.isSymbolicLink() && !entry.name.includes('\ufffd');

const follow = (path: string): Promise<Stats> =>
  stat(path).catch((error: unknown) => {
    throw path.includes('\ufffd') ? new Error(`the name of ${path} is not UTF-8`) : error;
  });

async function refuseEscape(path: string, homes: readonly string[]): Promise<void> {
  const target = await realpath(path).catch((error: unknown) => {
    throw hasErrorCode(error, 'ENOENT') ? new Error(`${path} is a link to nothing; remove it`) : error;
  });
  if (homes.some((home) => target === home || target.startsWith(home + sep))) return;
  throw new Error(`${path} is a link that leads out of its folder, to ${target}; put the file itself there`);
}

/** Hugging Face's tools keep the files of `models--owner--name/snapshots/<commit>` in `blobs` beside it. */
function cacheOf(folder: string): readonly string[] {
  const snapshots = dirname(folder);
  const repository = dirname(snapshots);
  const isSnapshot = basename(snapshots) === 'snapshots' && /^(models|datasets)--/.test(basename(repository));
  return isSnapshot ? [join(repository, 'blobs')] : [];
}
