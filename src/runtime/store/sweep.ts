import { lstat, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { clearLease } from './lease.ts';
import { mayBeAlive, parseProcessIdentity } from './process-identity.ts';
import type { Store } from './store.ts';
import { storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

const oneDay = 24 * 60 * 60 * 1000;
/** How long nobody has to come back to what a stage keeps for other executions before it goes. */
const keptMilliseconds = 30 * oneDay;
/** How many folders of checkpoints are kept: each may hold several times what the stage writes in the end. */
const mostCheckpoints = 8;

/** Bounds what stages keep for executions with other keys. Nothing that was used within a day goes. */
export async function sweepKept(store: Store, now: Date): Promise<void> {
  const age = ({ usedAt }: UsedFolder) => now.getTime() - usedAt;
  const memos = await foldersIn(join(store.root, storeLayout.memo));
  const checkpoints = await foldersIn(join(store.root, storeLayout.checkpoints));
  const tooMany = checkpoints.slice(mostCheckpoints).filter((folder) => age(folder) > oneDay);
  const tooOld = [...memos, ...checkpoints].filter((folder) => age(folder) > keptMilliseconds);
  for (const { path } of new Set([...tooMany, ...tooOld])) await rm(path, { recursive: true, force: true });
}

interface UsedFolder {
  readonly path: string;
  readonly usedAt: number;
}

/** The last used first. */
async function foldersIn(folder: string): Promise<readonly UsedFolder[]> {
  const found: UsedFolder[] = [];
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const { mtimeMs: usedAt = 0 } = await stat(path).catch(() => ({ mtimeMs: 0 }));
    found.push({ path, usedAt });
  }
  return found.sort((a, b) => b.usedAt - a.usedAt);
}

/** Removes the leases of processes that are gone, whose keys nobody may ask for again. */
export async function sweepLeases(store: Store, now: Date): Promise<void> {
  const folder = join(store.root, storeLayout.leases);
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    try {
      const text = await readFile(path, 'utf8');
      const holder = parseProcessIdentity(text);
      // A holder that lives, here or on another host, beats many times a day.
      const lapsed = now.getTime() - (await stat(path)).mtimeMs > oneDay;
      const dead = holder !== undefined && !mayBeAlive(holder);
      if (lapsed || dead) await clearLease(store, { path, text });
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) throw error;
    }
  }
}

/** Removes what killed processes left half-written. Nothing younger than a day goes: it may still be written to. */
export async function sweepTemporary(store: Store, now: Date): Promise<void> {
  const folder = join(store.root, storeLayout.temporary);
  for (const name of await readdir(folder)) {
    try {
      const { mtimeMs } = await lstat(join(folder, name));
      if (now.getTime() - mtimeMs > oneDay) await rm(join(folder, name), { recursive: true, force: true });
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) throw error;
    }
  }
}

/** The names in a folder; none where it is gone, or where another process has put a file in its place. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
