import { setMaxListeners } from 'node:events';
import { RemoteFailure } from '../../runtime/index.ts';
import { ConnectionFailure, HttpFailure, withRetries } from '../http/send-request.ts';
import type { Environment } from '../hub/hub-settings.ts';

/** What the settings say about a remote. */
export interface OpenRemote {
  /** As the settings call it. */
  readonly name: string;
  readonly url: string;
  /** Of relative paths. */
  readonly folder: string;
  /** A bearer token; the password, with a username. */
  readonly token?: string | undefined;
  readonly username?: string | undefined;
  /** Of an S3 service; by default the one that AWS's own tools would use. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  /** How long it may be silent. */
  readonly idleMilliseconds: number;
  readonly environment: Environment;
}

/** The host of a remote, as far as its failures go: what may pass is tried again, what does not is explained. */
export class RemoteHost {
  readonly #name: string;
  #successes = 0;

  /** `name`: of the host, for messages. */
  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Makes a request, and again after a failure that may pass. As long as other requests succeed, the host works, and
   * failures do not count. Throws a RemoteFailure, or the signal's reason.
   */
  async request<Value>(signal: AbortSignal, attempt: () => Promise<Value>): Promise<Value> {
    // Many requests listen to the signal of one command, which is no leak.
    setMaxListeners(0, signal);
    let seen = this.#successes;
    try {
      const value = await withRetries(attempt, {
        signal,
        hasAdvanced: async () => {
          const hasAdvanced = this.#successes > seen;
          seen = this.#successes;
          return hasAdvanced;
        },
      });
      this.#successes += 1;
      return value;
    } catch (error) {
      signal.throwIfAborted();
      throw this.failureOf(error);
    }
  }

  /** A failure of a request, explained; any other error unchanged. */
  failureOf(error: unknown): unknown {
    if (error instanceof ConnectionFailure)
      return new RemoteFailure({
        kind: 'unreachable',
        message: `no connection to ${this.#name} (${error.message})`,
        help: 'check the network and the address',
        cause: error,
      });
    return error instanceof HttpFailure ? this.#statusFailure(error) : error;
  }

  #statusFailure(cause: HttpFailure): RemoteFailure {
    const { status } = cause;
    const message = `${this.#name} answers with status ${status}`;
    if (status === 401 || status === 403) return new RemoteFailure({ ...forbidden, message, cause });
    if (status === 413) return new RemoteFailure({ ...tooLarge, message, cause });
    if (status === 507) return new RemoteFailure({ kind: 'full', message: `${message}: it is full`, cause });
    if (status === 429 || status >= 500)
      return new RemoteFailure({ kind: 'unreachable', message, help: 'try again later', cause });
    return new RemoteFailure({ kind: 'refused', message, help: 'is the address right?', cause });
  }
}

const forbidden = {
  kind: 'forbidden',
  help: "it wants another token or password, or its rules forbid this; they are set beside the remote's url in the settings",
} as const;

const tooLarge = {
  kind: 'refused',
  help: 'its limit for the size of a file is too low; nginx calls it client_max_body_size',
} as const;

/** What must arrive within the idle time: a host that sends a byte now and then is as good as silent. */
const leastBytes = 2 ** 10;

/** Passes bytes on. Throws a RemoteFailure if they break off or stall. */
export async function* received(
  chunks: AsyncIterable<Uint8Array>,
  {
    host,
    idleMilliseconds: idle,
    signal,
  }: { readonly host: string; readonly idleMilliseconds: number; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let arrived = 0;
  let deadline = performance.now() + idle;
  try {
    for (;;) {
      const next = await before(deadline, iterator.next());
      if (next.done === true) return;
      arrived += next.value.byteLength;
      yield next.value;
      // The time that the reader took is not the host's.
      if (arrived >= leastBytes) arrived = 0;
      if (arrived === 0) deadline = performance.now() + idle;
    }
  } catch (cause) {
    signal.throwIfAborted();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RemoteFailure({
      kind: 'interrupted',
      message: `${host} broke off a transfer (${reason})`,
      cause,
    });
  } finally {
    // It may wait for a chunk that never comes.
    void iterator.return?.()?.catch(() => {});
  }
}

async function before<Value>(deadline: number, reading: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error('almost no data arrived for too long')),
      Math.max(0, deadline - performance.now()),
    );
  });
  try {
    return await Promise.race([reading, late]);
  } finally {
    clearTimeout(timer);
  }
}
