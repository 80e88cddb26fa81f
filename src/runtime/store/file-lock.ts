import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../core/index.ts';
import {
  isOnThisHost,
  mayBeAlive,
  parseProcessIdentity,
  processName,
  thisProcess,
} from './process-identity.ts';
import { sealJson } from './sealed-json.ts';
import { hasErrorCode } from './system-error.ts';

const pollMilliseconds = 20;
const patienceMilliseconds = 10_000;
/** After this time a lock of another host, or one that cannot be read, counts as left behind. */
const lapseMilliseconds = 30_000;

/**
 * Holds a user's file while `change` reads and replaces it, so that no other process of tuneloom, and no other call in
 * this one, changes it in between. The lock is a file beside it, `<file>.lock`; a dead process's lock is taken over.
 * Throws a UserError if another process holds it for 10 seconds.
 */
export async function withFileLock<Value>(path: string, change: () => Promise<Value>): Promise<Value> {
  const lock = `${path}.lock`;
  const deadline = performance.now() + patienceMilliseconds;
  while (!(await tryLock(lock))) {
    await clearStale(lock);
    if (performance.now() > deadline)
      throw new UserError({
        code: 'locked-file',
        message: `${path} is being changed by another process`,
        help: `if there is none, delete ${lock}`,
      });
    await sleep(pollMilliseconds);
  }
  try {
    return await change();
  } finally {
    await rm(lock, { force: true });
  }
}

let count = 0;
const nameBeside = (lock: string): string => `${lock}.${processName()}-${count++}`;

/** Creates the lock with its content in one step, so that no reader finds it empty. */
async function tryLock(lock: string): Promise<boolean> {
  const prepared = nameBeside(lock);
  try {
    await writeFile(prepared, sealJson(JSON.stringify(thisProcess())), { flag: 'wx' });
    await link(prepared, lock);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(prepared, { force: true });
  }
}

/** Removes the lock of a process that is gone; puts it back if another process has taken it since it was read. */
async function clearStale(lock: string): Promise<void> {
  try {
    const text = await readFile(lock, 'utf8');
    const holder = parseProcessIdentity(text);
    const isStale =
      holder !== undefined && isOnThisHost(holder)
        ? !mayBeAlive(holder)
        : Date.now() - (await stat(lock)).mtimeMs > lapseMilliseconds;
    if (!isStale) return;
    const aside = nameBeside(lock);
    try {
      await rename(lock, aside);
      if ((await readFile(aside, 'utf8')) !== text) await link(aside, lock);
    } finally {
      await rm(aside, { force: true });
    }
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'EEXIST')) throw error;
  }
}
