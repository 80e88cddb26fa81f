import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from './store.ts';
import { storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

const { blobs, actions, state, memo, checkpoints, outputs, downloads, ...others } = storeLayout;

/** Folder -> the number of levels below it on which tuneloom makes and removes folders. */
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
 * Finds a link where tuneloom itself makes only folders, as a path from the store's root. Such a link in a store from
 * elsewhere would make tuneloom delete and write files outside the store.
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
