import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';

/**
 * The regular files below a folder, as paths from it with `/`, sorted by code unit. Links are followed, or only those
 * that stay in the folder: data from elsewhere cannot name files that it was not given.
 */
export async function listFiles(
  folder: string,
  { links = 'any' }: { readonly links?: 'any' | 'inside' } = {},
): Promise<readonly string[]> {
  const paths: string[] = [];
  const real = await realpath(folder);
  const homes = links === 'any' ? undefined : [real, ...cacheOf(real)];
  await collect(paths, { folder, inside: '', above: [], homes });
  return paths.sort();
}

interface Place {
  readonly folder: string;
  readonly inside: string;
  /** The real paths of the folders that lead here, to notice a link that leads back. */
  readonly above: readonly string[];
  /** Real paths of the folders that links may lead into; undefined: anywhere. */
  readonly homes: readonly string[] | undefined;
}

async function collect(paths: string[], place: Place): Promise<void> {
  const real = await realpath(place.folder);
  if (place.above.includes(real)) throw new Error(`${place.folder} is a link to a folder that contains it`);
  for (const entry of await readdir(place.folder, { withFileTypes: true })) {
    const path = join(place.folder, entry.name);
    if (entry.isSymbolicLink() && place.homes !== undefined) await refuseEscape(path, place.homes);
    const inside = place.inside === '' ? entry.name : `${place.inside}/${entry.name}`;
    const found = isPlain(entry) ? entry : await follow(path);
    if (found.isDirectory())
      await collect(paths, { ...place, folder: path, inside, above: [...place.above, real] });
    else if (found.isFile()) paths.push(inside);
    else throw new Error(`${path} is neither a file nor a folder`);
  }
}

/** What its folder says of it is the whole truth, and one look less for each of 100,000 files. */
const isPlain = (entry: Dirent): boolean => !entry.isSymbolicLink() && !entry.name.includes('\ufffd');

const follow = (path: string): Promise<Stats> =>
  stat(path).catch((error: unknown) => {
    throw path.includes('\ufffd') ? new Error(`the name of ${path} is not UTF-8`) : error;
  });

async function refuseEscape(path: string, homes: readonly string[]): Promise<void> {
  const target = await realpath(path);
  if (homes.some((home) => target === home || target.startsWith(home + sep))) return;
  throw new Error(`${path} is a link that leads out of its folder, to ${target}; put the file itself there`);
}

/** Hugging Face's tools keep the files of `models--owner--name/snapshots/<commit>` in the `blobs` beside. */
function cacheOf(folder: string): readonly string[] {
  const snapshots = dirname(folder);
  const repository = dirname(snapshots);
  const isSnapshot = basename(snapshots) === 'snapshots' && /^(models|datasets)--/.test(basename(repository));
  return isSnapshot ? [join(repository, 'blobs')] : [];
}
