import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isObject } from '../../core/index.ts';
import { isOnThisHost, mayBeAlive, parseProcessIdentity } from './process-identity.ts';
import type { Store } from './store.ts';
import { attemptFiles, entriesOf, storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

/**
 * What living processes of this host use of a store, however old it is, as paths from its root: the attempts that they
 * run, or that a job of an executor may run, with their answers and epochs, and what they hold the leases of. Processes of other hosts cannot be seen; what they use is kept by its age.
 */
export function pathsInUse({ root }: Pick<Store, 'root'>): ReadonlySet<string> {
  const used = new Set<string>();
  for (const { name: key } of entriesOf(join(root, storeLayout.state)))
    for (const { name } of entriesOf(join(root, storeLayout.state, key))) {
      const folder = join(root, storeLayout.state, key, name);
      if (!isOwnedByLiving(join(folder, attemptFiles.owner)) && !existsSync(join(folder, attemptFiles.job)))
        continue;
      used.add(join(storeLayout.state, key));
      for (const path of keptFoldersOf(join(folder, attemptFiles.action))) used.add(path);
    }
  for (const { name } of entriesOf(join(root, storeLayout.leases)))
    if (isOwnedByLiving(join(root, storeLayout.leases, name))) {
      used.add(join(storeLayout.state, name));
      used.add(join(storeLayout.downloads, name));
    }
  return used;
}

function isOwnedByLiving(path: string): boolean {
  const owner = parseProcessIdentity(textAt(path));
  return owner !== undefined && isOnThisHost(owner) && mayBeAlive(owner);
}

/** The folders that an action shares with others, as paths from the store's root. */
function keptFoldersOf(actionFile: string): readonly string[] {
  const { memoPath, checkpointPath } = objectIn(textAt(actionFile));
  return [
    ...(typeof memoPath === 'string' ? [join(storeLayout.memo, basename(memoPath))] : []),
    ...(typeof checkpointPath === 'string' ? [join(storeLayout.checkpoints, basename(checkpointPath))] : []),
  ];
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {}; // not written completely yet
  }
}

/** Empty if there is no such file. */
function textAt(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return '';
    throw error;
  }
}
