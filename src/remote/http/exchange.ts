import { once } from 'node:events';
import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ConnectionFailure, HttpFailure } from './send-request.ts';

/** A request over a connection that is kept for the next one, with a body that is sent as it is read. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: Agent;
  readonly signal: AbortSignal;
  /** How long nothing may arrive or leave. */
  readonly idleMilliseconds: number;
  readonly body?: ExchangeBody | undefined;
}

export interface ExchangeBody {
  readonly size: number;
  readonly chunks: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly onSent: (bytes: number) => void;
}

const connectMilliseconds = 10_000;
/** A host that refuses a body of this size should say so before it is sent. */
const askedFirstBytes = 2 ** 20;
/** How long it may take to say so, since not every host knows the question. */
const continueMilliseconds = 1000;

/** Resolves when the answer begins, whatever its status. Throws a ConnectionFailure, or the signal's reason. */
export async function exchange(request: Exchange): Promise<IncomingMessage> {
  const { url, method, agent, signal, body } = request;
  signal.throwIfAborted();
  const asksFirst = body !== undefined && body.size >= askedFirstBytes;
  const headers = {
    ...request.headers,
    ...(body === undefined ? {} : { 'content-length': String(body.size) }),
    ...(asksFirst ? { expect: '100-continue' } : {}),
  };
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const outgoing = send(url, { method, headers, agent, signal });
  limitTime(outgoing, request.idleMilliseconds);
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  if (body === undefined) outgoing.end();
  // It never fails: what goes wrong with the body is an error of the request.
  else void sendBody(outgoing, { body, asksFirst, answer });
  try {
    const response = await answer;
    // An error after the answer is one of its body, whose reader gets it.
    outgoing.on('error', () => {});
    return response;
  } catch (error) {
    signal.throwIfAborted();
    throw new ConnectionFailure(error);
  }
}

function limitTime(outgoing: ClientRequest, idle: number): void {
  const end = (milliseconds: number, what: string) => () =>
    outgoing.destroy(new Error(`${what} for ${milliseconds / 1000} s`));
  outgoing.setTimeout(idle, end(idle, 'nothing arrived'));
  outgoing.once('socket', (socket) => {
    if (!socket.connecting) return;
    const most = Math.min(connectMilliseconds, idle);
    const timer = setTimeout(end(most, 'no connection'), most);
    socket.once('connect', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
  });
}

async function sendBody(
  outgoing: ClientRequest,
  {
    body,
    asksFirst,
    answer,
  }: { readonly body: ExchangeBody; readonly asksFirst: boolean; readonly answer: Promise<IncomingMessage> },
): Promise<void> {
  let isAnswered = false;
  const end = (): void => {
    isAnswered = true;
  };
  const answered = answer.then(end, end);
  try {
    if (asksFirst) {
      outgoing.flushHeaders();
      await Promise.race([once(outgoing, 'continue'), answered, afterwards(continueMilliseconds)]);
    }
    for await (const chunk of body.chunks()) {
      // The host has refused, or the connection is gone.
      if (isAnswered) break;
      if (!outgoing.write(chunk)) await Promise.race([once(outgoing, 'drain'), answered]);
      body.onSent(chunk.byteLength);
    }
    if (isAnswered) outgoing.destroy();
    else outgoing.end();
  } catch (error) {
    outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

const afterwards = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds).unref());

/** Takes what is left of an answer, so that its connection can be used again. */
export async function drain(answer: IncomingMessage): Promise<void> {
  answer.resume();
  if (!answer.complete) await once(answer, 'close').catch(() => {});
}

/** The failure that an answer's status is. Its text is not read: it could repeat what was sent. */
export function statusFailure(answer: IncomingMessage): HttpFailure {
  answer.resume();
  const headers = new Headers();
  for (const name of ['retry-after', 'x-error-code']) {
    const value = answer.headers[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  return new HttpFailure({ status: answer.statusCode ?? 0, headers });
}
