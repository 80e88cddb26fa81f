import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Json } from '../../../../src/core/json.ts';

/** A request as the server got it. */
export interface Received {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: { readonly [field: string]: Json };
  readonly prompt: string;
}

export type Reply = (received: Received, response: ServerResponse) => void | Promise<void>;

/** A server on this machine that speaks OpenAI's protocol as far as a test wants it to. */
export interface LoopbackEndpoint extends AsyncDisposable {
  readonly baseUrl: string;
  readonly received: Received[];
  /** The most requests that were open at the same time. */
  readonly peak: () => number;
}

export async function openEndpoint(reply: Reply): Promise<LoopbackEndpoint> {
  const received: Received[] = [];
  let underWay = 0;
  let peak = 0;
  const server = createServer(async (request, response) => {
    underWay += 1;
    peak = Math.max(peak, underWay);
    response.on('close', () => {
      underWay -= 1;
    });
    const got = await receive(request);
    received.push(got);
    await reply(got, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a server that listens on a port has an address of this form
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    received,
    peak: () => peak,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function receive(request: IncomingMessage): Promise<Received> {
  const body = JSON.parse(await text(request));
  return {
    path: request.url ?? '',
    authorization: request.headers.authorization,
    body,
    prompt: body.messages.at(-1).content,
  };
}

export function send(
  response: ServerResponse,
  answer: { readonly status?: number; readonly headers?: Record<string, string>; readonly body: Json },
): void {
  response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
  response.end(JSON.stringify(answer.body));
}

/** What a chat completion looks like on the wire. */
export function say(response: ServerResponse, content: string, finishReason = 'stop'): void {
  send(response, {
    body: {
      id: 'c',
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finishReason }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    },
  });
}
