import { createReadStream } from 'node:fs';
import { type AgentOptions, Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import pMap from 'p-map';
import {
  type RemoteContent,
  RemoteFailure,
  type RemoteObject,
  type RemoteStore,
  remoteName,
  type SentContent,
} from '../../runtime/index.ts';
import { drain, type Exchange, type ExchangeBody, exchange, statusFailure } from '../http/exchange.ts';
import { ConnectionFailure, followed } from '../http/send-request.ts';
import { type OpenRemote, RemoteHost, received } from './remote-host.ts';

/** Connections at once: enough to hide the time of a round trip, few enough for a small server. */
const connections = 24;
const mostRedirects = 5;
const chunkBytes = 2 ** 18;

/** A remote that speaks Bazel's HTTP cache protocol: GET, HEAD and PUT of `/cas/<sha256>` and `/ac/<key>`. */
export function httpStore(base: URL, open: OpenRemote): RemoteStore {
  const options: AgentOptions = { keepAlive: true, maxSockets: connections, scheduling: 'lifo' };
  const agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) };
  const host = new RemoteHost(base.host);
  const { idleMilliseconds } = open;
  const authorization = authorizationOf(open);
  const send = (
    url: URL,
    request: Pick<Exchange, 'method' | 'signal' | 'body'> & {
      readonly headers?: Readonly<Record<string, string>>;
    },
  ): Promise<IncomingMessage> =>
    exchange({
      ...request,
      url,
      idleMilliseconds,
      agent: agents[url.protocol === 'https:' ? 'https:' : 'http:'],
      headers: {
        // The length of a compressed body would differ from the object's.
        'accept-encoding': 'identity',
        'user-agent': 'tuneloom',
        ...request.headers,
        ...(authorization !== undefined && url.origin === base.origin ? { authorization } : {}),
      },
    });
  const read = async (
    object: RemoteObject,
    request: Parameters<typeof send>[1],
  ): Promise<IncomingMessage | undefined> => {
    let url = new URL(remoteName(object), base);
    for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
      const answer = await send(url, request);
      const { statusCode = 0 } = answer;
      if (statusCode >= 200 && statusCode < 300) return answer;
      if (statusCode === 404 || statusCode === 410) {
        await drain(answer);
        return undefined;
      }
      const { location } = answer.headers;
      if (statusCode < 300 || statusCode >= 400 || location === undefined) throw statusFailure(answer);
      await drain(answer);
      url = followed(location, url);
    }
    throw new RemoteFailure({ kind: 'refused', message: `${base.host} redirects without end` });
  };
  const holds = (object: RemoteObject, signal: AbortSignal): Promise<boolean> =>
    host.request(signal, async () => {
      const answer = await read(object, { method: 'HEAD', signal });
      if (answer !== undefined) await drain(answer);
      return answer !== undefined;
    });
  return {
    name: open.name,
    url: base.href,
    async has(objects, { signal }) {
      const held = await pMap(
        objects,
        async (object) => ((await holds(object, signal)) ? remoteName(object) : []),
        { concurrency: connections },
      );
      return new Set(held.flat());
    },
    get: (object, { offset = 0, signal }) =>
      host.request(signal, async (): Promise<RemoteContent | undefined> => {
        const range = offset === 0 ? {} : { range: `bytes=${offset}-` };
        const answer = await read(object, { method: 'GET', headers: range, signal });
        if (answer === undefined) return undefined;
        const begins = beginOf(answer);
        if (begins > offset) {
          answer.destroy();
          throw new ConnectionFailure(new Error('it sends another part than was requested'));
        }
        return {
          offset: begins,
          size: sizeOf(answer, begins),
          bytes: received(answer, { host: base.host, idleMilliseconds, signal }),
        };
      }),
    put: (object, content, { signal, onProgress = () => {} }) =>
      host.request(signal, async () => {
        let sent = 0;
        const onSent = (bytes: number): void => {
          sent += bytes;
          onProgress(bytes);
        };
        const answer = await send(new URL(remoteName(object), base), {
          method: 'PUT',
          headers: { 'content-type': 'application/octet-stream' },
          body: bodyOf(content, onSent),
          signal,
        }).catch((error: unknown) => {
          onProgress(-sent);
          throw error;
        });
        const { statusCode = 0 } = answer;
        if (statusCode < 200 || statusCode >= 300) {
          onProgress(-sent);
          throw statusFailure(answer);
        }
        await drain(answer);
      }),
    list: () => {
      throw new RemoteFailure({
        kind: 'refused',
        message: `${base.host} cannot list what it holds: its protocol has no such request`,
        help: 'name stages or a run',
      });
    },
  };
}

function authorizationOf({ token, username }: OpenRemote): string | undefined {
  if (token === undefined) return undefined;
  return username === undefined
    ? `Bearer ${token}`
    : `Basic ${Buffer.from(`${username}:${token}`).toString('base64')}`;
}

/** Where the bytes of an answer begin in the object. */
function beginOf({ statusCode, headers }: IncomingMessage): number {
  if (statusCode !== 206) return 0;
  return Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? Number.POSITIVE_INFINITY);
}

function sizeOf({ headers }: IncomingMessage, offset: number): number | undefined {
  const length = headers['content-length'];
  return length === undefined || headers['content-encoding'] !== undefined
    ? undefined
    : offset + Number(length);
}

const bodyOf = (content: SentContent, onSent: (bytes: number) => void): ExchangeBody =>
  'bytes' in content
    ? { size: content.bytes.byteLength, chunks: () => [content.bytes], onSent }
    : {
        size: content.size,
        chunks: () => createReadStream(content.path, { highWaterMark: chunkBytes }),
        onSent,
      };
