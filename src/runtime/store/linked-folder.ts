import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from './store.ts';
import { storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

const { blobs, actions, state, memo, checkpoints, outputs, downloads, ...others } = storeLayout;

/** Folder -> how many levels below it tuneloom makes folders in, or clears them away. */
const levels: readonly (readonly [string, number])[] = [
  ['.', 1],
  ['blobs', 1],
  [blobs, 1],
  [actions, 1],
  [state, 2],
  [memo, 1],
  [checkpoints, 1],
  [outputs, 2],
  [downloads, 2],
];
const own = new Set([
  'blobs',
  ...[actions, state, memo, checkpoints, outputs, downloads],
  ...Object.values(others),
]);

/**
 * A link, from the store's root, where tuneloom itself only ever makes a folder. Through one, in a store that came from
 * elsewhere, clearing up would delete and writing would write outside of the store.
 */
export function linkedFolder({ root }: Store): string | undefined {
  for (const [folder, depth] of levels) {
    const found = linkBelow(root, { folder, depth });
    if (found !== undefined) return found;
  }
  return undefined;
}

function linkBelow(
  root: string,
  { folder, depth }: { readonly folder: string; readonly depth: number },
): string | undefined {
  for (const entry of entriesOf(join(root, folder))) {
    if (folder === '.' && !own.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) return path;
    const below =
      depth > 1 && entry.isDirectory() ? linkBelow(root, { folder: path, depth: depth - 1 }) : undefined;
    if (below !== undefined) return below;
  }
  return undefined;
}

/** Whether anything in a folder, at any depth, is a link. */
export const holdsLinks = (folder: string): boolean =>
  entriesOf(folder).some(
    (entry) => entry.isSymbolicLink() || (entry.isDirectory() && holdsLinks(join(folder, entry.name))),
  );

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
