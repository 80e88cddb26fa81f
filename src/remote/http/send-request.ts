import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../core/index.ts';

const mostRedirects = 10;
const headerMilliseconds = 60_000;

export interface HttpRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent only to its own host, not to others that a redirect names. */
  readonly credential?: Credential | undefined;
  readonly signal: AbortSignal;
}

export interface Credential {
  readonly origin: string;
  readonly token: string;
}

/** Requests an address and follows protected redirects. Throws unless the answer is a success. */
export async function sendRequest(request: HttpRequest): Promise<Response> {
  let url = request.url;
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    const response = await sendOnce(request, url);
    if (response.ok) return response;
    const location =
      response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    await response.body?.cancel();
    if (location === null) throw new HttpFailure(response);
    url = followed(location, url);
  }
  throw new UserError({
    code: 'too-many-redirects',
    message: `${request.url.host} answers with more than ${mostRedirects} redirects`,
  });
}

async function sendOnce({ headers, credential, signal }: HttpRequest, url: URL): Promise<Response> {
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(new Error('it took too long to answer')), headerMilliseconds);
  const isItsHost = credential !== undefined && credential.origin === url.origin;
  try {
    return await fetch(url, {
      redirect: 'manual',
      headers: { ...headers, ...(isItsHost ? { authorization: `Bearer ${credential.token}` } : {}) },
      signal: AbortSignal.any([signal, waiting.signal]),
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ConnectionFailure(error);
  } finally {
    clearTimeout(timer);
  }
}

export function followed(location: string, from: URL): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  // A public host may not redirect to this machine.
  if (url !== undefined && isProtected(url) && (url.protocol === 'https:' || from.protocol === 'http:'))
    return url;
  throw new UserError({
    code: 'unsafe-redirect',
    message: `${from.host} redirects to an address that is not https`,
    help: 'download it yourself and give its path',
  });
}

const mostTries = 5;
const longestWaitMilliseconds = 60_000;

interface Retries {
  readonly signal: AbortSignal;
  /** The first wait; each is twice the one before. */
  readonly milliseconds?: number;
  /** Whether the failed attempt got further than the one before; such attempts do not count. */
  readonly hasAdvanced?: () => Promise<boolean>;
  readonly onWait?: OnWait | undefined;
}

/** Called before a wait that is long enough to be noticed. */
export type OnWait = (wait: { readonly milliseconds: number; readonly because: string }) => void;

const noticedMilliseconds = 2000;

/** Tries again after a failure that may pass: an overloaded host, a broken connection. */
export async function withRetries<Value>(
  attempt: () => Promise<Value>,
  { signal, milliseconds = firstWait(), hasAdvanced, onWait }: Retries,
): Promise<Value> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error;
      if ((await hasAdvanced?.()) === true) tries = 1;
      const asked = error instanceof HttpFailure ? error.retryAfterMilliseconds : undefined;
      const wait = asked ?? milliseconds * 2 ** (tries - 1);
      if (tries >= mostTries || wait > longestWaitMilliseconds) throw error;
      if (wait >= noticedMilliseconds) onWait?.({ milliseconds: wait, because: reasonOf(error) });
      await sleep(wait, undefined, { signal });
    }
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof HttpFailure ? `the host answers with status ${error.status}` : 'the connection broke off';

/** Tests set a shorter wait. */
const firstWait = (): number => Number(process.env.TUNELOOM_RETRY_MILLISECONDS ?? 500);

function isTransient(error: unknown): boolean {
  if (error instanceof HttpFailure)
    return error.status === 408 || error.status === 429 || error.status >= 500;
  // No such host or no network: that does not pass within seconds.
  const lasting = ['ENOTFOUND', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH'];
  return error instanceof ConnectionFailure && !lasting.includes(error.code) && !/CERT|TLS/.test(error.code);
}

/** An answer that is not a success. Its text is left out, as it could repeat what was sent. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly status: number;
  /** The hub's error code, such as `GatedRepo`. */
  readonly reason: string | undefined;
  /** How long the host asks to wait. */
  readonly retryAfterMilliseconds: number | undefined;

  constructor({ status, headers }: Pick<Response, 'status' | 'headers'>) {
    super(`status ${status}`);
    this.status = status;
    const reason = headers.get('x-error-code');
    this.reason = reason !== null && /^\w{1,40}$/.test(reason) ? reason : undefined;
    this.retryAfterMilliseconds = waitAsked(headers.get('retry-after') ?? '');
  }
}

/** `Retry-After` is a number of seconds or a date. */
function waitAsked(header: string): number | undefined {
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Requests a whole answer that is no download. Throws ConnectionFailure, and ends the request, after a minute. */
export async function withinAnswerTime<Value>(
  { url, signal }: Pick<HttpRequest, 'url' | 'signal'>,
  request: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const milliseconds = Number(process.env.TUNELOOM_ANSWER_MILLISECONDS ?? headerMilliseconds);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), milliseconds);
  try {
    return await request(AbortSignal.any([signal, late.signal]));
  } catch (error) {
    if (!late.signal.aborted || signal.aborted) throw error;
    throw new ConnectionFailure(
      new Error(`the answer of ${url.host} takes longer than ${milliseconds / 1000} s`),
    );
  } finally {
    clearTimeout(timer);
  }
}

/** No answer, or an incomplete one. */
export class ConnectionFailure extends Error {
  override readonly name = 'ConnectionFailure';
  /** Such as `ENOTFOUND`; empty if the system gave none. */
  readonly code: string;

  constructor(cause: unknown) {
    const { code, message } = innermost(cause);
    super(message, { cause });
    this.code = code;
  }
}

/** The innermost cause: `fetch failed` says nothing by itself. */
function innermost(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  if (error.cause instanceof Error) return innermost(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return { code, message: error.message || code };
}

/** Whether an address is on this machine, so that nobody can read or change the answer on the way. */
const isLoopback = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);

/** Whether what arrives from an address is certain to be what its host sent. */
export const isProtected = (url: URL): boolean =>
  url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
