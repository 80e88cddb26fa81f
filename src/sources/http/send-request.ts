import { UserError } from '../../user-error.ts';
import { ConnectionFailure, HttpFailure } from './http-failure.ts';
import { isProtected } from './is-loopback.ts';

const mostRedirects = 10;
const headerMilliseconds = 60_000;

export interface HttpRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the host that it is for, and to no other that a redirect names. */
  readonly credential?: Credential | undefined;
  readonly signal: AbortSignal;
}

export interface Credential {
  readonly origin: string;
  readonly token: string;
}

/** Asks for an address and follows its redirects, as far as they stay protected. Throws where the answer is no success. */
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
  const isForIt = credential !== undefined && credential.origin === url.origin;
  try {
    return await fetch(url, {
      redirect: 'manual',
      headers: { ...headers, ...(isForIt ? { authorization: `Bearer ${credential.token}` } : {}) },
      signal: AbortSignal.any([signal, waiting.signal]),
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ConnectionFailure(error);
  } finally {
    clearTimeout(timer);
  }
}

function followed(location: string, from: URL): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  // A public host may not send us to what runs on this machine.
  if (url !== undefined && isProtected(url) && (url.protocol === 'https:' || from.protocol === 'http:'))
    return url;
  throw new UserError({
    code: 'unsafe-redirect',
    message: `${from.host} redirects to an address that is not https`,
    help: 'download it yourself and give its path',
  });
}
