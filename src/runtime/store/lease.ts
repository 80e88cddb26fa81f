import { link, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CacheKey } from '../key/key-material.ts';
import {
  isOnThisHost,
  mayBeAlive,
  type ProcessIdentity,
  parseProcessIdentity,
  thisProcess,
} from './process-identity.ts';
import { sealJson } from './sealed-json.ts';
import type { Store } from './store.ts';
import { createAtomically } from './store-file.ts';
import { storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';
import { temporaryPath } from './temporary.ts';

const heartbeatMilliseconds = 10_000;
const lapseMilliseconds = 60_000;
const pollMilliseconds = 200;

/**
 * Held while a key's stage runs, so that no other process runs it. It only saves work: if two processes hold one after
 * all, both run and the first record counts.
 */
type Lease = AsyncDisposable;

/** Waits until no other process runs the key. `onWait` is called once, with the holder. An abort ends the wait. */
export async function takeLease(
  store: Store,
  request: {
    readonly key: CacheKey;
    readonly signal: AbortSignal;
    readonly onWait: (holder: ProcessIdentity) => void;
  },
): Promise<Lease> {
  const path = join(store.root, storeLayout.leases, request.key);
  const content = sealJson(JSON.stringify(thisProcess()));
  let waited = false;
  const lapses = lapseWatch();
  while (!(await createAtomically({ root: store.root, path, content, durable: false }))) {
    if (request.signal.aborted) return { [Symbol.asyncDispose]: async () => {} };
    const found = await findLease(path);
    // It has just been released.
    if (found === undefined) continue;
    const { holder } = found;
    if (holder === undefined || isDead(holder) || lapses(holder)) {
      await clearLease(store, { path, text: found.text });
    } else {
      if (!waited) request.onWait(holder.identity);
      waited = true;
      await sleep(pollMilliseconds, undefined, { signal: request.signal }).catch(() => {});
    }
  }
  return held(path);
}

/** Removes a stale lease; puts it back if another process has taken it since it was read. */
export async function clearLease(
  store: Store,
  { path, text }: { readonly path: string; readonly text: string },
): Promise<void> {
  const aside = await temporaryPath(store.root);
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) !== text) await link(aside, path);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'EEXIST')) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

function held(path: string): Lease {
  // The next beat makes up for a missed one, and losing a lease only costs work.
  const beat = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), heartbeatMilliseconds);
  beat.unref();
  return {
    [Symbol.asyncDispose]: () => {
      clearInterval(beat);
      return rm(path, { force: true });
    },
  };
}

interface Holder {
  readonly identity: ProcessIdentity;
  readonly beatAt: number;
}

const isDead = ({ identity }: Holder): boolean => !mayBeAlive(identity);

/** Whether the heartbeat of a holder on another host has lapsed, measured by this host's clock alone. */
function lapseWatch(): (holder: Holder) => boolean {
  let last = { beatAt: Number.NaN, at: performance.now() };
  return ({ identity, beatAt }) => {
    if (beatAt !== last.beatAt) last = { beatAt, at: performance.now() };
    return !isOnThisHost(identity) && performance.now() - last.at > lapseMilliseconds;
  };
}

interface FoundLease {
  readonly text: string;
  /** Undefined if the text is not a lease's. */
  readonly holder: Holder | undefined;
}

/** Undefined if the lease is gone. */
async function findLease(path: string): Promise<FoundLease | undefined> {
  try {
    const [{ mtimeMs }, text] = await Promise.all([stat(path), readFile(path, 'utf8')]);
    const identity = parseProcessIdentity(text);
    return { text, holder: identity && { identity, beatAt: mtimeMs } };
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
