import { mkdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CacheKey, parseCacheKey } from '../key/key-material.ts';
import { readRecord } from '../store/action-records.ts';
import { makeTemporaryFolder } from '../store/atomic-write.ts';
import { holdsLinks } from '../store/linked-folder.ts';
import { mayBeAlive, parseProcessIdentity, thisProcess } from '../store/process-identity.ts';
import type { Store } from '../store/store.ts';
import { storeLayout } from '../store/store-layout.ts';
import { namesIn } from '../store/sweep.ts';
import { hasErrorCode } from '../store/system-error.ts';

/** What stands in an attempt's folder, `state/<key>/<attempt>/`. */
export const attemptFiles = {
  /** The process that works here; absent when it has ended its work. */
  owner: 'owner.json',
  action: 'action.json',
  inputs: 'inputs',
  outputs: 'outputs',
  /** Remote sources, laid out for reading. */
  sources: 'sources',
  /** What the stage keeps so that it can resume. */
  state: 'state',
  log: 'log.txt',
  /** The bundled code of a user's stage. */
  code: 'code.mjs',
} as const;

/** Opens a folder for one attempt and hands it the resume state that an earlier attempt left under the same key. */
export async function openAttempt(
  store: Store,
  { key, name }: { key: CacheKey; name: string },
): Promise<string> {
  const folder = join(store.root, storeLayout.state, key, name);
  const prepared = await makeTemporaryFolder(store.root);
  try {
    await writeFile(join(prepared, attemptFiles.owner), JSON.stringify(thisProcess()));
    await mkdir(join(prepared, attemptFiles.inputs));
    await mkdir(join(prepared, attemptFiles.outputs));
    // Another process may clear the key's empty folder away between the two steps.
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

/** Ends an attempt that did not succeed: what could resume it and its log stay, all else goes. */
export async function releaseAttempt(folder: string): Promise<void> {
  const { inputs, sources, outputs, action, code } = attemptFiles;
  for (const name of [inputs, sources, outputs, action, code]) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
  await removeEmpty(join(folder, attemptFiles.state));
  await removeIfBlank(join(folder, attemptFiles.log));
  await rm(join(folder, attemptFiles.owner), { force: true });
  await removeEmpty(folder);
  await removeEmpty(dirname(folder));
}

/** Removes an attempt with all that it left: its outputs are in the store. */
export async function discardAttempt(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await removeEmpty(dirname(folder));
}

/** How long what could resume a stage, and the log of its failure, are kept. */
const keptMilliseconds = 30 * 24 * 60 * 60 * 1000;

/** Ends the attempts of processes that died in the middle of them, and discards what nobody came back to. */
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
  const isOld = owner === 'released' && (await ageOf(folder, now)) > keptMilliseconds;
  if (isOld || isOnRecord(store, { key, name })) return discardAttempt(folder);
  // Also where it has no owner any more: whoever released it may have died before the end of that.
  return releaseAttempt(folder);
}

/** Whether the attempt's own result is what the key's record holds. */
function isOnRecord(store: Store, { key, name }: { readonly key: string; readonly name: string }): boolean {
  const parsed = parseCacheKey(key);
  const found = parsed && readRecord(store, parsed);
  return found?.kind === 'usable' && name.startsWith(`${found.record.provenance.run}-`);
}

/** Since something was last put into the folder or taken out of it. */
async function ageOf(folder: string, now: Date): Promise<number> {
  try {
    return now.getTime() - (await stat(folder)).mtimeMs;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return 0;
    throw error;
  }
}

/** Moves the latest resume state that nobody works on into this attempt, and clears away what is left of the others. */
async function takeOverState(folder: string): Promise<void> {
  const key = dirname(folder);
  const others = (await namesIn(key)).map((name) => join(key, name)).filter((other) => other !== folder);
  let found = false;
  for (const other of others.sort().reverse()) {
    if ((await ownerOf(other)) === 'alive') continue;
    const state = join(other, attemptFiles.state);
    // No stage keeps links: one that came with the store could have the stage write outside of it.
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

/** False where there is none, or where another process took it first. */
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
