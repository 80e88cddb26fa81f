import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from './loopback-hub.ts';

/** A server that a remote is kept on. */
export interface StoreServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
}

export const nginx = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find((path) =>
  existsSync(path),
);
/** With moto's server. */
export const python = process.env.TUNELOOM_PYTHON;

/** nginx with WebDAV on an empty folder; `user`: `name:password`, which it then asks for. */
export async function startNginx(user?: string): Promise<StoreServer & { readonly folder: string }> {
  const home = await mkdtemp(join(tmpdir(), 'tuneloom-nginx-'));
  const folder = join(home, 'files');
  for (const path of [folder, join(home, 'tmp')]) await mkdir(path);
  for (const path of [home, folder, join(home, 'tmp')]) await chmod(path, 0o777);
  const port = await freePort();
  const [name, password = ''] = (user ?? '').split(':');
  await writeFile(join(home, 'users'), `${name}:{PLAIN}${password}\n`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${home}/tmp/${kind};`,
  );
  await writeFile(
    join(home, 'nginx.conf'),
    `daemon off; worker_processes 1; ${process.getuid?.() === 0 ? 'user root;' : ''} pid ${home}/pid; error_log ${home}/error.log;
events { worker_connections 256; }
http {
  access_log off; client_max_body_size 0; ${temporary.join(' ')}
  server {
    listen 127.0.0.1:${port};
    location / {
      root ${folder}; dav_methods PUT; create_full_put_path on;
      ${user === undefined ? '' : `auth_basic "results"; auth_basic_user_file ${home}/users;`}
    }
  }
}
`,
  );
  const stop = await started(
    nginx ?? 'nginx',
    ['-c', join(home, 'nginx.conf'), '-e', `${home}/error.log`],
    port,
  );
  return {
    url: `http://127.0.0.1:${port}`,
    folder,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** moto's S3 server, with an empty bucket. */
export async function startS3(
  bucket: string,
): Promise<StoreServer & { readonly environment: Record<string, string> }> {
  const port = await freePort();
  const stop = await started(
    python ?? 'python',
    ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    port,
  );
  const url = `http://127.0.0.1:${port}`;
  const created = await fetch(`${url}/${bucket}`, { method: 'PUT' });
  if (!created.ok) throw new Error(`moto makes no bucket: ${created.status}`);
  return {
    url,
    environment: { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test-secret' },
    [Symbol.asyncDispose]: stop,
  };
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Starts a server and waits until it takes connections. */
async function started(
  command: string,
  words: readonly string[],
  port: number,
): Promise<() => Promise<void>> {
  const server = spawn(command, words, { stdio: 'ignore' });
  const ended = once(server, 'exit');
  for (let tries = 0; tries < 300 && server.exitCode === null; tries += 1) {
    if (await takesConnections(port))
      return async () => {
        server.kill('SIGTERM');
        await ended;
      };
    await sleep(100);
  }
  server.kill('SIGKILL');
  throw new Error(`${command} does not start`);
}

const takesConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** How a cache server treats a request; undefined: as it should. */
export type Mood = (request: IncomingMessage, count: number) => Misbehavior | undefined;

export type Misbehavior =
  /** Answers with a status, and keeps nothing. */
  | { readonly kind: 'status'; readonly status: number }
  /** Closes the connection without an answer. */
  | { readonly kind: 'hang-up' }
  /** Never answers. */
  | { readonly kind: 'silence' }
  /** Sends this many bytes of the body and closes the connection. */
  | { readonly kind: 'break-off'; readonly after: number }
  /** Sends this many bytes of the body and then nothing. */
  | { readonly kind: 'stall'; readonly after: number }
  /** Sends other bytes of the same length. */
  | { readonly kind: 'other-bytes' }
  /** Sends fewer bytes as if they were all. */
  | { readonly kind: 'cut'; readonly to: number }
  /** Sends bytes after the last. */
  | { readonly kind: 'longer' };

export interface MoodyCache extends StoreServer {
  readonly objects: Map<string, Buffer>;
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly range: string | undefined;
    readonly authorization: string | undefined;
  }[];
  /** Answers of one's own, by path. */
  readonly answers: Map<string, RequestListener>;
  mood: Mood;
}

/** A server of Bazel's HTTP cache protocol that can misbehave; `authorization`: the header that it wants. */
export async function startMoodyCache(authorization?: string): Promise<MoodyCache> {
  const objects = new Map<string, Buffer>();
  const requests: MoodyCache['requests'] = [];
  const answers: MoodyCache['answers'] = new Map();
  let count = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: path = '' } = request;
    requests.push({
      method,
      path,
      range: request.headers.range,
      authorization: request.headers.authorization,
    });
    const answer = answers.get(path);
    if (answer !== undefined) return void answer(request, response);
    count += 1;
    const body = await bodyOf(request);
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.writeHead(401).end();
      return;
    }
    const misbehavior = cache.mood(request, count);
    switch (misbehavior?.kind) {
      case 'status':
        response.writeHead(misbehavior.status).end();
        return;
      case 'hang-up':
        request.socket.destroy();
        return;
      case 'silence':
        return;
      default:
    }
    if (method === 'PUT') {
      objects.set(path, body);
      response.writeHead(201).end();
      return;
    }
    const found = objects.get(path);
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const range = start > 0 ? { 'content-range': `bytes ${start}-${found.length - 1}/${found.length}` } : {};
    const bytes = told(found.subarray(start), misbehavior);
    response.writeHead(start > 0 ? 206 : 200, { ...range, 'content-length': bytes.length });
    if (method === 'HEAD') response.end();
    else if (misbehavior?.kind === 'break-off')
      response.write(bytes.subarray(0, misbehavior.after), () => request.socket.destroy());
    else if (misbehavior?.kind === 'stall') response.write(bytes.subarray(0, misbehavior.after));
    else response.end(bytes);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  const cache: MoodyCache = {
    url: '',
    objects,
    requests,
    answers,
    mood: () => undefined,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return Object.assign(cache, { url: await listen(server) });
}

function told(bytes: Buffer, misbehavior: Misbehavior | undefined): Buffer {
  if (misbehavior?.kind === 'other-bytes') return Buffer.alloc(bytes.length, 'x');
  if (misbehavior?.kind === 'cut') return bytes.subarray(0, misbehavior.to);
  return misbehavior?.kind === 'longer' ? Buffer.concat([bytes, Buffer.from('and more')]) : bytes;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
