import { lstat, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { clearLease } from './lease.ts';
import { mayBeAlive, parseProcessIdentity } from './process-identity.ts';
import type { Store } from './store.ts';
import { storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

const oneDay = 24 * 60 * 60 * 1000;
/** What stages keep for other executions is removed after this time without use. */
const keptMilliseconds = 30 * oneDay;
/** The number of checkpoint folders kept: each may be several times as large as the stage's output. */
const mostCheckpoints = 8;

/** Bounds what stages keep for executions with other keys. Nothing used within a day is removed. */
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

/** The most recently used first. */
async function foldersIn(folder: string): Promise<readonly UsedFolder[]> {
  const found: UsedFolder[] = [];
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const { mtimeMs: usedAt = 0 } = await stat(path).catch(() => ({ mtimeMs: 0 }));
    found.push({ path, usedAt });
  }
  return found.sort((a, b) => b.usedAt - a.usedAt);
}

/** Removes the leases of processes that are gone: their keys may never be requested again. */
export async function sweepLeases(store: Store, now: Date): Promise<void> {
  const folder = join(store.root, storeLayout.leases);
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    try {
      const text = await readFile(path, 'utf8');
      const holder = parseProcessIdentity(text);
      // A live holder, here or on another host, beats many times a day.
      const lapsed = now.getTime() - (await stat(path)).mtimeMs > oneDay;
      const dead = holder !== undefined && !mayBeAlive(holder);
      if (lapsed || dead) await clearLease(store, { path, text });
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) throw error;
    }
  }
}

/** Removes what killed processes left half-written. Nothing younger than a day is removed: it may still be in use. */
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

/** The names in a folder; none if it is gone or another process has replaced it by a file. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
