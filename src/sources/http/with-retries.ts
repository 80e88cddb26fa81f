import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionFailure, HttpFailure } from './http-failure.ts';

const mostTries = 5;
const longestWaitMilliseconds = 60_000;

export interface Retries {
  readonly signal: AbortSignal;
  /** The first wait; each is twice the one before. */
  readonly milliseconds?: number;
  /** Whether the try that failed got further than the one before: those are not counted. */
  readonly hasAdvanced?: () => Promise<boolean>;
}

/** Tries again after what may pass: an overloaded host, a connection that broke off. */
export async function withRetries<Value>(
  attempt: () => Promise<Value>,
  { signal, milliseconds = firstWait(), hasAdvanced }: Retries,
): Promise<Value> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
      if ((await hasAdvanced?.()) === true) tries = 1;
      const asked = error instanceof HttpFailure ? error.retryAfterMilliseconds : undefined;
      const wait = asked ?? milliseconds * 2 ** (tries - 1);
      if (tries >= mostTries || wait > longestWaitMilliseconds) throw error;
      await sleep(wait, undefined, { signal });
    }
  }
}

/** A test need not wait for as long as a host does. */
const firstWait = (): number => Number(process.env.TUNELOOM_RETRY_MILLISECONDS ?? 500);

function mayPass(error: unknown): boolean {
  if (error instanceof HttpFailure)
    return error.status === 408 || error.status === 429 || error.status >= 500;
  // Nobody there, or no network: that does not pass within seconds.
  const lasting = ['ENOTFOUND', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH'];
  return error instanceof ConnectionFailure && !lasting.includes(error.code) && !/CERT|TLS/.test(error.code);
}
