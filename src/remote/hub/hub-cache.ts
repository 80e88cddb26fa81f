import { constants } from 'node:fs';
import { copyFile, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type HubAddress, type HubFile, isInner, revisionOf } from './hub-address.ts';
import type { HubSettings } from './hub-settings.ts';

/** `models--owner--name` in the cache of Hugging Face's own tools. */
const folderOf = ({ type, name }: HubAddress, { cacheFolder }: HubSettings): string =>
  join(cacheFolder, [`${type}s`, ...name.split('/')].join('--'));

/** The commit that the cache has for an address. */
export async function cachedCommit(address: HubAddress, settings: HubSettings): Promise<string | undefined> {
  const revision = revisionOf(address);
  const folder = folderOf(address, settings);
  if (/^[0-9a-f]{40}$/.test(revision)) {
    const files = await readdir(join(folder, 'snapshots', revision)).catch(() => []);
    return files.length === 0 ? undefined : revision;
  }
  const commit = (await readFile(join(folder, 'refs', revision), 'utf8').catch(() => '')).trim();
  return /^[0-9a-f]{40}$/.test(commit) ? commit : undefined;
}

/** The files of a commit that are in the cache, which may lack some. */
export async function cachedFiles(
  address: HubAddress,
  { settings, commit }: { readonly settings: HubSettings; readonly commit: string },
): Promise<readonly HubFile[]> {
  const folder = snapshotOf(address, { settings, commit });
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files: HubFile[] = [];
  for (const path of names.map((name) => name.replaceAll('\\', '/')).sort()) {
    const size = await sizeOf(join(folder, path));
    if (size !== undefined && isInner(path)) files.push({ path, content: { size, hash: undefined } });
  }
  return files;
}

/** Copies a cached file to `target` if it has the expected size; the caller checks its content. */
export async function copyCached(
  address: HubAddress,
  file: {
    readonly settings: HubSettings;
    readonly commit: string;
    readonly wanted: HubFile;
    readonly target: string;
  },
): Promise<boolean> {
  const { wanted, target, settings } = file;
  const { hash, size } = wanted.content;
  const path =
    hash === undefined
      ? join(snapshotOf(address, file), wanted.path)
      : join(folderOf(address, settings), 'blobs', hash.hex);
  const found = await sizeOf(path);
  if (found !== size) return false;
  await copyFile(path, target, constants.COPYFILE_FICLONE);
  return true;
}

const snapshotOf = (
  address: HubAddress,
  { settings, commit }: { readonly settings: HubSettings; readonly commit: string },
): string => join(folderOf(address, settings), 'snapshots', commit);

/** A file's size, following links; undefined if there is no file. */
const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );
