import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  AuthenticationError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai';
import { type FaultyRecord, UserError } from '../../../core/index.ts';

/** Where requests go and how, for error messages. */
export interface EndpointRequest {
  readonly address: string;
  readonly model: string;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly apiKey: string | undefined;
}

/** An error that says what went wrong at which endpoint and what to do. It never contains the API key. */
export function endpointError(error: unknown, request: EndpointRequest): unknown {
  if (error instanceof APIConnectionTimeoutError) return timedOut(request);
  if (error instanceof APIConnectionError) return unreachable(error, request);
  if (error instanceof APIError) return refused(error, request);
  if (error instanceof SyntaxError) return malformedAnswer(request, 'its answer is not JSON');
  return error;
}

export function malformedAnswer({ address }: EndpointRequest, what: string): UserError {
  return new UserError({
    code: 'endpoint-malformed-answer',
    message: `${address} does not speak OpenAI's protocol: ${what}`,
    help: 'the address usually ends in /v1',
  });
}

/** The longest wait that an endpoint can ask for before a request is repeated, in seconds. */
export const longestWait = 60;

/** How long a response asks to wait before the request is repeated, in seconds; 0 if it does not ask. */
export function requestedWait(headers: Headers): number {
  const milliseconds = Number.parseFloat(headers.get('retry-after-ms') ?? '');
  if (Number.isFinite(milliseconds)) return Math.max(0, milliseconds / 1000);
  const given = headers.get('retry-after') ?? '';
  const seconds = /^\s*[-+.\d]/.test(given)
    ? Number.parseFloat(given)
    : (Date.parse(given) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}

export const answersWithheld = ({ address }: EndpointRequest, records: readonly FaultyRecord[]): UserError =>
  new UserError({
    code: 'endpoint-withheld',
    message: `${address} withheld ${records.length === 1 ? 'an answer' : `${records.length} answers`}`,
    help: 'the others are kept: change these prompts and run again, or keep what came as their answers with `withheld: keep`',
    records,
  });

function timedOut({ address, timeoutSeconds, retries }: EndpointRequest): UserError {
  return new UserError({
    code: 'endpoint-timeout',
    message: `${address} gave no answer within ${timeoutSeconds} s${afterRetries(retries)}`,
    help: 'raise `endpoint.timeout_seconds`, or lower `endpoint.concurrency`',
  });
}

function unreachable(error: APIConnectionError, { address, retries }: EndpointRequest): UserError {
  const code = systemCode(error);
  const what =
    code === 'ECONNREFUSED'
      ? 'refused the connection'
      : code === 'ENOTFOUND'
        ? 'is not a known host'
        : `broke the connection${code === undefined ? '' : ` (${code})`}`;
  return new UserError({
    code: 'endpoint-unreachable',
    message: `${address} ${what}${afterRetries(retries)}`,
    help: 'start the server, or set `endpoint.base_url` or OPENAI_BASE_URL to where it is',
  });
}

function redirected({ headers }: APIError, { address }: EndpointRequest): UserError {
  const target = endpointAt(headers?.get('location') ?? '', address) ?? 'another address';
  return new UserError({
    code: 'endpoint-redirects',
    message: `${address} redirects requests to ${target}, where neither the prompts nor the API key were sent`,
    help: 'if you trust that address, set `endpoint.base_url` or OPENAI_BASE_URL to it',
  });
}

function refused(error: APIError, request: EndpointRequest): UserError {
  const { address, model, retries } = request;
  if (isRedirection(error)) return redirected(error, request);
  const said = serverMessage(error, request.apiKey);
  if (error instanceof AuthenticationError || error instanceof PermissionDeniedError)
    return new UserError({
      code: 'endpoint-unauthorized',
      message: `${address} does not accept the API key: ${said}`,
      help: `set the environment variable OPENAI_API_KEY${request.apiKey === undefined ? ', which is not set' : ''}`,
    });
  if (error instanceof NotFoundError)
    return new UserError({
      code: 'endpoint-no-model',
      message: `${address} has no model \`${model}\`: ${said}`,
      help: 'load a model that the endpoint serves, and check that its address is complete (it usually ends in /v1)',
    });
  const wait = error.headers === undefined ? 0 : requestedWait(error.headers);
  if (wait > longestWait)
    return new UserError({
      code: 'endpoint-long-wait',
      message: `${address} asks to wait ${waitText(wait)} before the next request: ${said}`,
      help: `tuneloom waits for ${longestWait} s at most; run again later, and the answers so far are reused`,
    });
  if (error instanceof RateLimitError)
    return new UserError({
      code: 'endpoint-rate-limit',
      message: `${address} asks for fewer requests${afterRetries(retries)}: ${said}`,
      help: 'lower `endpoint.concurrency`, or raise `endpoint.retries`',
    });
  const status = error.status ?? 0;
  return status >= 500
    ? new UserError({
        code: 'endpoint-failed',
        message: `${address} failed with status ${status}${afterRetries(retries)}: ${said}`,
      })
    : new UserError({
        code: 'endpoint-refused',
        message: `${address} refused the request with status ${status}: ${said}`,
      });
}

const waitText = (seconds: number): string =>
  seconds < 7200 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 3600)} hours`;

/** The endpoint that a redirection leads to, without anything else in its `Location`, such as a secret. */
function endpointAt(location: string, base: string): string | undefined {
  if (!URL.canParse(location, base)) return undefined;
  const { origin, pathname } = new URL(location, base);
  return `${origin}${pathname.replace(/\/chat\/completions$/, '')}`;
}

const isRedirection = ({ status = 0 }: APIError): boolean => status >= 300 && status < 400;

const afterRetries = (retries: number): string => (retries === 0 ? '' : `, also after ${retries} retries`);

/** The server's message without the status that the client puts before it, and without the key. */
function serverMessage({ message, status }: APIError, apiKey: string | undefined): string {
  const words = redact(message, apiKey).replace(`${status} `, '').trim();
  return words.length > 300 ? `${words.slice(0, 300)}...` : words;
}

const redact = (text: string, secret: string | undefined): string =>
  secret === undefined ? text : text.replaceAll(secret, '<the API key>');

/** The code that the operating system gave, which may be several causes deep. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : systemCode(error.cause);
}
