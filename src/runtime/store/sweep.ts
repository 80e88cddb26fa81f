import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { clearLease } from './lease.ts';
import { isOnThisHost, mayBeAlive, parseProcessIdentity } from './process-identity.ts';
import type { Store } from './store.ts';
import { storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';
import { type DiskClock, isAbandoned } from './temporary.ts';

const oneDay = 24 * 60 * 60 * 1000;
/** What stages keep for other executions is removed after this time without use. */
const keptMilliseconds = 30 * oneDay;
/** The number of checkpoint folders kept: each may be several times as large as the stage's output. */
const mostCheckpoints = 8;

/** Bounds what stages keep for executions with other keys. Nothing in use, or used within a day, is removed. */
export async function sweepKept(
  store: Store,
  { clock, inUse }: { readonly clock: DiskClock; readonly inUse: ReadonlySet<string> },
): Promise<void> {
  const age = ({ usedAt }: UsedFolder) => clock() - usedAt;
  const memos = await foldersIn(store, storeLayout.memo);
  const checkpoints = await foldersIn(store, storeLayout.checkpoints);
  const tooMany = checkpoints.slice(mostCheckpoints).filter((folder) => age(folder) > oneDay);
  const tooOld = [...memos, ...checkpoints].filter((folder) => age(folder) > keptMilliseconds);
  for (const { path } of new Set([...tooMany, ...tooOld]))
    if (!inUse.has(path)) await rm(join(store.root, path), { recursive: true, force: true });
}

interface UsedFolder {
  /** From the store's root. */
  readonly path: string;
  readonly usedAt: number;
}

/** The most recently used first. */
async function foldersIn({ root }: Store, folder: string): Promise<readonly UsedFolder[]> {
  const found: UsedFolder[] = [];
  for (const name of await namesIn(join(root, folder))) {
    const path = join(folder, name);
    const { mtimeMs: usedAt = 0 } = await stat(join(root, path)).catch(() => ({ mtimeMs: 0 }));
    found.push({ path, usedAt });
  }
  return found.sort((a, b) => b.usedAt - a.usedAt);
}

/** Removes the leases of processes that are gone: their keys may never be requested again. */
export async function sweepLeases(store: Store, clock: DiskClock): Promise<void> {
  const folder = join(store.root, storeLayout.leases);
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    try {
      const text = await readFile(path, 'utf8');
      const holder = parseProcessIdentity(text);
      const isGone =
        holder !== undefined && isOnThisHost(holder)
          ? !mayBeAlive(holder)
          : // A holder on another host beats many times a day.
            clock() - (await stat(path)).mtimeMs > oneDay;
      if (isGone) await clearLease(store, { path, text });
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) throw error;
    }
  }
}

/** Removes what processes left half-written when they died. */
export async function sweepTemporary({ root }: Store, clock: DiskClock): Promise<void> {
  for (const name of await namesIn(join(root, storeLayout.temporary)))
    if (isAbandoned({ root, name }, clock))
      await rm(join(root, storeLayout.temporary, name), { recursive: true, force: true });
}

/** The names in a folder; none if it is gone or another process has replaced it by a file. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
