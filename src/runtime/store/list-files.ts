import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The regular files below a folder, links followed, as paths from it with `/`, sorted by code unit. */
export async function listFiles(folder: string): Promise<readonly string[]> {
  const paths: string[] = [];
  await collect(paths, { folder, inside: '', above: [] });
  return paths.sort();
}

interface Place {
  readonly folder: string;
  readonly inside: string;
  /** The real paths of the folders that lead here, to notice a link that leads back. */
  readonly above: readonly string[];
}

async function collect(paths: string[], place: Place): Promise<void> {
  const real = await realpath(place.folder);
  if (place.above.includes(real)) throw new Error(`${place.folder} is a link to a folder that contains it`);
  for (const name of await readdir(place.folder)) {
    const path = join(place.folder, name);
    const inside = place.inside === '' ? name : `${place.inside}/${name}`;
    const found = await stat(path);
    if (found.isDirectory()) await collect(paths, { folder: path, inside, above: [...place.above, real] });
    else if (found.isFile()) paths.push(inside);
    else throw new Error(`${path} is neither a file nor a folder`);
  }
}
