import { link, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CacheKey } from '../key/key-material.ts';
import { createAtomically, temporaryPath } from './atomic-write.ts';
import {
  isOnThisHost,
  mayBeAlive,
  type ProcessIdentity,
  parseProcessIdentity,
  thisProcess,
} from './process-identity.ts';
import { sealJson } from './sealed-json.ts';
import type { Store } from './store.ts';
import { storeLayout } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

const heartbeatMilliseconds = 10_000;
const lapseMilliseconds = 60_000;
const pollMilliseconds = 200;

/**
 * Held while a key's stage runs, so that nobody else runs it meanwhile. It saves work and no more: should two processes
 * hold one after all, both run, and the first record stands.
 */
type Lease = AsyncDisposable;

/** Waits until nobody else runs the key. `onWait` is told once who does. An aborted signal ends the waiting. */
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
    // It has just been given back.
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

/** Removes a lease that nobody holds any more; one that somebody has taken since it was read is put back. */
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
  // A missed beat is made up by the next, and a lease that is lost costs nothing but work.
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

/** Tells whether a holder on another host has not been heard of for too long, by this host's clock alone. */
function lapseWatch(): (holder: Holder) => boolean {
  let heard = { beatAt: Number.NaN, at: performance.now() };
  return ({ identity, beatAt }) => {
    if (beatAt !== heard.beatAt) heard = { beatAt, at: performance.now() };
    return !isOnThisHost(identity) && performance.now() - heard.at > lapseMilliseconds;
  };
}

interface FoundLease {
  readonly text: string;
  /** Undefined where the text is no lease's. */
  readonly holder: Holder | undefined;
}

/** Undefined where the lease is gone. */
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
