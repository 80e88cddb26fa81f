import { mkdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CacheKey, parseCacheKey } from '../key/key-material.ts';
import { readRecord } from '../store/action-records.ts';
import { mayBeAlive, parseProcessIdentity, thisProcess } from '../store/process-identity.ts';
import type { Store } from '../store/store.ts';
import { attemptFiles, attemptFolder, holdsLinks, pathSegment, storeLayout } from '../store/store-layout.ts';
import { namesIn } from '../store/sweep.ts';
import { hasErrorCode } from '../store/system-error.ts';
import { makeTemporaryFolder } from '../store/temporary.ts';
import { type JobFile, readJobFile } from './executor/job-file.ts';

/** Makes a folder for one attempt and moves in the resume state that an earlier attempt left under the same key. */
export async function openAttempt(
  store: Store,
  { key, attempt }: { readonly key: CacheKey; readonly attempt: string },
): Promise<string> {
  const folder = attemptFolder(store, { key, attempt });
  const prepared = await makeTemporaryFolder(store.root);
  try {
    await writeFile(join(prepared, attemptFiles.owner), JSON.stringify(thisProcess()));
    await mkdir(join(prepared, attemptFiles.inputs));
    await mkdir(join(prepared, attemptFiles.outputs));
    // Another process may remove the key's empty folder between the two steps.
    do await mkdir(dirname(folder), { recursive: true });
    while (!(await moveFolder(prepared, folder)));
  } catch (error) {
    await rm(prepared, { recursive: true, force: true });
    throw error;
  }
  await takeOverState(folder);
  await mkdir(join(folder, attemptFiles.state), { recursive: true });
  return folder;
}

/** Where the process of a stage writes its log while it runs; the log stays there if the stage fails. */
export function stageLogPath(
  { root }: Pick<Store, 'root'>,
  { key, run, attempt }: { readonly key: string; readonly run: string; readonly attempt: number },
): string {
  // Ids in a store from elsewhere may be anything, and must not lead out of it.
  const names = [pathSegment(key), pathSegment(`${attemptPrefix(run)}${attempt}`)];
  return join(root, storeLayout.state, ...names, attemptFiles.log);
}

/** The attempts at a key whose jobs may go on, though the processes that submitted them are gone. */
export async function detachedAttempts(
  { root }: Pick<Store, 'root'>,
  key: CacheKey,
): Promise<readonly { readonly folder: string; readonly job: JobFile }[]> {
  const attempts = join(root, storeLayout.state, key);
  const found: { readonly folder: string; readonly job: JobFile }[] = [];
  for (const name of [...(await namesIn(attempts))].sort()) {
    const folder = join(attempts, name);
    const job = readJobFile(folder);
    if (job !== undefined && (await ownerOf(folder)) !== 'alive') found.push({ folder, job });
  }
  return found;
}

/** Makes this process the owner of a detached attempt. The lease of its key keeps others away meanwhile. */
export const adoptAttempt = (folder: string): Promise<void> =>
  writeFile(join(folder, attemptFiles.owner), JSON.stringify(thisProcess()));

/** Leaves an attempt to whoever adopts it: its job may go on. */
export const detachAttempt = (folder: string): Promise<void> =>
  rm(join(folder, attemptFiles.owner), { force: true });

/** Ends an attempt that did not succeed, and keeps its resume state and its log. */
export async function releaseAttempt(folder: string): Promise<void> {
  const { inputs, sources, outputs, action, code, job, request, events, shards } = attemptFiles;
  for (const name of [inputs, sources, outputs, action, code, job, request, events, shards]) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
  await removeEmpty(join(folder, attemptFiles.state));
  await removeIfBlank(join(folder, attemptFiles.log));
  await rm(join(folder, attemptFiles.owner), { force: true });
  await removeEmpty(folder);
  await removeEmpty(dirname(folder));
}

/** Removes an attempt's folder: its outputs are in the store. */
export async function discardAttempt(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await removeEmpty(dirname(folder));
}

const oneDay = 24 * 60 * 60 * 1000;
/** How long resume state, the logs of failures and jobs that nobody takes up are kept. */
const keptMilliseconds = 30 * oneDay;

/** Ends the attempts of processes that died, and discards stale ones. */
export async function sweepAttempts(store: Store, now: Date): Promise<void> {
  const state = join(store.root, storeLayout.state);
  for (const key of await namesIn(state)) {
    for (const name of await namesIn(join(state, key))) await sweepAttempt(store, { key, name, now });
    await removeEmpty(join(state, key));
  }
}

async function sweepAttempt(
  store: Store,
  { key, name, now }: { readonly key: string; readonly name: string; readonly now: Date },
): Promise<void> {
  const folder = join(store.root, storeLayout.state, key, name);
  const owner = await ownerOf(folder);
  if (owner === 'alive') return;
  if (readJobFile(folder) !== undefined) {
    // The job may still be running, also where another has computed the key's result.
    const parsed = parseCacheKey(key);
    const isDone = parsed !== undefined && readRecord(store, parsed).kind === 'usable';
    if ((await ageOf(folder, now)) > (isDone ? oneDay : keptMilliseconds)) await discardAttempt(folder);
    return;
  }
  const isOld = owner === 'released' && (await ageOf(folder, now)) > keptMilliseconds;
  if (isOld || isOnRecord(store, { key, name })) return discardAttempt(folder);
  // Even without an owner: the process that released it may have died halfway.
  return releaseAttempt(folder);
}

/** Whether the key's record holds the result of this attempt. */
function isOnRecord(store: Store, { key, name }: { readonly key: string; readonly name: string }): boolean {
  const parsed = parseCacheKey(key);
  const found = parsed && readRecord(store, parsed);
  return found?.kind === 'usable' && name.startsWith(attemptPrefix(found.record.provenance.run));
}

/** The name of a run's attempt; the first has the number 1. */
export const attemptName = (run: string, number: number): string => attemptPrefix(run) + number;

const attemptPrefix = (run: string): string => `${run}-`;

/** The time since an entry of the folder was last added or removed. */
async function ageOf(folder: string, now: Date): Promise<number> {
  try {
    return now.getTime() - (await stat(folder)).mtimeMs;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return 0;
    throw error;
  }
}

/** Moves the latest resume state without a live owner into this attempt, and removes the other dead attempts. */
async function takeOverState(folder: string): Promise<void> {
  const key = dirname(folder);
  const others = (await namesIn(key)).map((name) => join(key, name)).filter((other) => other !== folder);
  let found = false;
  for (const other of others.sort().reverse()) {
    if ((await ownerOf(other)) === 'alive' || readJobFile(other) !== undefined) continue;
    const state = join(other, attemptFiles.state);
    // No stage keeps links: one in a store from elsewhere could make the stage write outside the store.
    if (!found && !holdsLinks(state)) found = await moveFolder(state, join(folder, attemptFiles.state));
    await rm(other, { recursive: true, force: true });
  }
}

async function ownerOf(folder: string): Promise<'alive' | 'dead' | 'released'> {
  try {
    const owner = parseProcessIdentity(await readFile(join(folder, attemptFiles.owner), 'utf8'));
    return owner !== undefined && mayBeAlive(owner) ? 'alive' : 'dead';
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return 'released';
    throw error;
  }
}

/** False if there is none, or if another process moved it first. */
async function moveFolder(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function removeIfBlank(path: string): Promise<void> {
  try {
    if ((await readFile(path, 'utf8')).trim() === '') await rm(path);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
}

async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}
