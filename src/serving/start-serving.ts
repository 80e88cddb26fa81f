import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { listen } from '../server/index.ts';
import { ApiError } from './api/api-error.ts';
import { type Api, type ApiOptions, openApi } from './api/app.ts';
import { ModelHost } from './model/model-host.ts';
import type { ModelToServe, ServedModel } from './model/protocol.ts';

export interface ServingOptions extends Omit<ApiOptions, 'host' | 'adapters'> {
  readonly model: ModelToServe;
  /** Absolute path of the program of the model's process. */
  readonly script: string;
  /** Of the model's process. */
  readonly environment: NodeJS.ProcessEnv;
  /** The address to listen on. */
  readonly hostname: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Ends the loading of the model. */
  readonly signal: AbortSignal;
  readonly onNote: (message: string) => void;
  readonly onRestart: (how: string) => void;
}

export interface RunningModel {
  readonly address: string;
  readonly served: ServedModel;
  /** How many requests are being answered. */
  readonly open: () => number;
  /** Settles when the model's process has ended for good, with how. */
  readonly gone: Promise<string>;
  /** Refuses new requests, waits until those that are being answered end, and closes. */
  readonly close: () => Promise<void>;
}

/** A client that takes longer than this to send its request is cut off, or its headers longer than half of it. */
const sendingSeconds = 30;
const mostConnections = 1024;

/** Loads a model and serves it. */
export async function startServing(options: ServingOptions): Promise<RunningModel> {
  const { model, script, environment, hostname, signal, onNote, onRestart } = options;
  const sending = Math.min(sendingSeconds, options.limits.seconds) * 1000;
  let api: Api | undefined;
  const server = createAdaptorServer({
    fetch: (request, bindings) => api?.app.fetch(request, bindings) ?? loading(),
    overrideGlobalObjects: false,
    serverOptions: {
      requestTimeout: sending,
      headersTimeout: sending / 2,
      connectionsCheckingInterval: sending / 4,
    },
  }) as Server; // no HTTP/2 was asked for
  server.maxConnections = mostConnections;
  // Before the model is loaded, which may take minutes.
  const port = await listen(server, { port: options.port, hostname });
  let onGone: (how: string) => void = () => {};
  const gone = new Promise<string>((resolve) => {
    onGone = resolve;
  });
  let host: ModelHost;
  try {
    host = await ModelHost.open({ script, model, environment, signal, onNote, onRestart, onGone });
  } catch (error) {
    await closeServer(server);
    throw error;
  }
  const opened = openApi({ ...options, host, adapters: model.adapters.map((adapter) => adapter.name) });
  api = opened;
  const { requests } = opened;
  return {
    address: `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`,
    served: host.served,
    open: () => requests.size,
    gone,
    close: async () => {
      await requests.stop();
      await closeServer(server);
      await host[Symbol.asyncDispose]();
    },
  };
}

function loading(): Response {
  const { body, status, headers } = new ApiError({
    ...{ status: 503, message: 'the model is being loaded', code: 'loading', retryAfter: 5 },
  });
  return Response.json(body, { status, headers });
}

/** How long clients may take to read the end of their answers. */
const lastMilliseconds = 5000;

/** Closes every connection once its last answer has been sent. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // An answer that has been written is not yet sent, and a connection that was busy may be idle soon.
  const sweeping = setInterval(() => server.closeIdleConnections(), 20);
  const ending = setTimeout(() => server.closeAllConnections(), lastMilliseconds);
  await closed;
  clearInterval(sweeping);
  clearTimeout(ending);
}
