import { isObject, UserError } from '../../core/index.ts';

/** Where an MLflow server is, and who asks. */
export interface MlflowServer {
  /** Of http or https, without a user in it. */
  readonly url: URL;
  /** The value of the header `authorization`. */
  readonly authorization?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads an address and the variables that MLflow's own client reads: MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME
 * with MLFLOW_TRACKING_PASSWORD. Throws a UserError for an address that is none, and for a password that would be sent
 * unprotected.
 */
export function mlflowServer(address: string, environment: Environment): MlflowServer {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw badServer(
      `\`${withoutUser(address)}\` is no address of an MLflow server`,
      'give one such as http://localhost:5000',
    );
  if (url.username !== '' || url.password !== '')
    throw badServer(
      'the address of an MLflow server holds a password',
      'set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead, or MLFLOW_TRACKING_TOKEN',
    );
  const authorization = authorizationIn(environment);
  if (authorization === undefined) return { url };
  if (url.protocol === 'http:' && !/^(localhost|\[::1\]|127(\.\d+){3})$/.test(url.hostname))
    throw badServer(
      `the password or token of the MLflow server at ${url.host} would be sent unprotected`,
      'use an https address',
    );
  return { url, authorization };
}

const withoutUser = (address: string): string => address.replace(/\/\/[^/]*@/, '//');

function authorizationIn(environment: Environment): string | undefined {
  const {
    MLFLOW_TRACKING_TOKEN: token,
    MLFLOW_TRACKING_USERNAME: user,
    MLFLOW_TRACKING_PASSWORD: password = '',
  } = environment;
  if (token) return `Bearer ${token}`;
  return user ? `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` : undefined;
}

const badServer = (message: string, help: string): UserError =>
  new UserError({ code: 'bad-tracking-server', message, help });

const MOST_MILLISECONDS = 15_000;
const MOST_BYTES = 16 * 2 ** 20;

type Answer = Readonly<Record<string, unknown>>;

/** Asks a server by MLflow's REST protocol, version 2.0. Throws a UserError that names the server, never the token. */
export class MlflowClient {
  readonly #server: MlflowServer;
  readonly #stopped = new AbortController();

  constructor(server: MlflowServer) {
    this.#server = server;
  }

  /** Ends every request, now and later. */
  stop(): void {
    this.#stopped.abort(new Error('it takes too long'));
  }

  /** Undefined if the server knows no such thing. */
  async find(path: string, query: Readonly<Record<string, string>>): Promise<Answer | undefined> {
    return await this.#ask(`${path}?${new URLSearchParams(query)}`, { method: 'GET' });
  }

  async post(path: string, body: object): Promise<Answer> {
    const init = { method: 'POST', body: JSON.stringify(body) };
    const answer = await this.#ask(path, init);
    if (answer === undefined) throw this.#failure(`it knows no ${path}`);
    return answer;
  }

  async #ask(
    path: string,
    init: { readonly method: string; readonly body?: string },
  ): Promise<Answer | undefined> {
    const { url, authorization } = this.#server;
    const base = url.href.replace(/\/*$/, '/');
    let response: Response;
    let text: string;
    try {
      response = await fetch(new URL(`api/2.0/mlflow/${path}`, base), {
        ...init,
        // A token is for this server alone.
        redirect: 'manual',
        headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
        signal: AbortSignal.any([AbortSignal.timeout(MOST_MILLISECONDS), this.#stopped.signal]),
      });
      text = await textOf(response);
    } catch (error) {
      throw this.#failure(reasonOf(error));
    }
    const answer = parsed(text);
    if (response.ok && answer !== undefined) return answer;
    if (answer?.error_code === 'RESOURCE_DOES_NOT_EXIST') return undefined;
    const said = typeof answer?.message === 'string' ? `: ${answer.message.slice(0, 300)}` : '';
    throw this.#failure(
      response.ok ? 'its answer is not JSON' : `it answers with status ${response.status}${said}`,
    );
  }

  #failure(because: string): UserError {
    const help =
      because.includes('status 401') || because.includes('status 403')
        ? 'set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD'
        : 'check the address, and that `mlflow server` runs there';
    return badServer(`the MLflow server at ${this.#server.url.host} cannot be used: ${because}`, help);
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `it does not answer within ${MOST_MILLISECONDS / 1000} s`;
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message || String(error);
}

function parsed(text: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
