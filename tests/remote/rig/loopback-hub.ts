import { createHash } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export type Files = Readonly<Record<string, Buffer>>;

export interface Repository {
  /** Branch or tag -> commit. */
  readonly refs: Record<string, string>;
  /** Commit -> its files. */
  readonly commits: Record<string, Files>;
  /** Who may read it: everyone, or only holders of the token. */
  readonly access?: 'open' | 'private' | 'gated';
}

/** What goes wrong with requests whose path contains `path`, for a number of times. */
export interface Fault {
  readonly path: string;
  times: number;
  readonly status?: number;
  readonly retryAfter?: number;
  /** The connection ends after this many bytes of the body. */
  readonly breakAfter?: number;
  /** The connection stays open without a further byte. */
  readonly stallAfter?: number;
  /** Other bytes than those announced. */
  readonly corrupt?: boolean;
}

export interface SeenRequest {
  readonly host: 'hub' | 'storage';
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** A hub on this machine, and the storage that it redirects to, which is another host as far as HTTP is concerned. */
export interface LoopbackHub extends AsyncDisposable {
  readonly endpoint: string;
  readonly requests: SeenRequest[];
  readonly faults: Fault[];
  /** Further answers of the hub, by exact path. */
  readonly answers: Map<string, RequestListener>;
  /** Waits until a request whose path holds the text has been answered as far as its fault lets it. */
  readonly seen: (path: string) => Promise<void>;
}

/** What a repository stores outside git; its name is the content's sha256. */
const isLarge = (path: string): boolean => /\.(safetensors|gguf|parquet)$/.test(path);
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const gitName = (bytes: Buffer): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

export async function openLoopbackHub(
  repositories: Record<string, Repository>,
  { token = 'hf_loopback' }: { token?: string } = {},
): Promise<LoopbackHub> {
  const requests: SeenRequest[] = [];
  const faults: Fault[] = [];
  const answers = new Map<string, RequestListener>();
  const large = new Map<string, Buffer>();
  const watchers: { readonly path: string; readonly tell: () => void }[] = [];
  const note = (host: SeenRequest['host'], { url = '', headers }: IncomingMessage): void => {
    const path = decodeURIComponent(new URL(url, 'http://x').pathname);
    requests.push({ host, path, range: headers.range, authorization: headers.authorization });
  };
  const send = (request: IncomingMessage, response: ServerResponse, bytes: Buffer, name: string): void => {
    const fault = faults.find((one) => one.times > 0 && name.includes(one.path));
    if (fault !== undefined) fault.times -= 1;
    if (fault?.status !== undefined) {
      if (fault.retryAfter !== undefined) response.setHeader('retry-after', String(fault.retryAfter));
      response.writeHead(fault.status).end();
      return;
    }
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start > 0) response.setHeader('content-range', `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
    if (start >= bytes.length && start > 0) return void response.writeHead(416).end();
    const body = Buffer.from(bytes.subarray(start));
    if (fault?.corrupt) body[0] = (body[0] ?? 0) ^ 1;
    response.setHeader('etag', `"${isLarge(name) ? sha256(bytes) : gitName(bytes)}"`);
    response.setHeader('content-length', body.length);
    response.writeHead(start > 0 ? 206 : 200);
    const cut = fault?.breakAfter ?? fault?.stallAfter;
    if (cut === undefined) response.end(body);
    else
      response.write(body.subarray(0, cut), () => {
        if (fault?.breakAfter !== undefined) setTimeout(() => response.destroy(), 20);
      });
    for (const { path, tell } of watchers) if (name.includes(path)) tell();
  };

  const storage = createServer((request, response) => {
    note('storage', request);
    const name = (request.url ?? '').slice(1);
    const bytes = large.get(name.split('/')[0] ?? '');
    if (bytes === undefined) response.writeHead(404).end();
    else send(request, response, bytes, name);
  });
  const storageAddress = await listen(storage);

  const hub = createServer((request, response) => {
    note('hub', request);
    const { pathname } = new URL(request.url ?? '', 'http://x');
    const answer = answers.get(pathname);
    if (answer !== undefined) return answer(request, response);
    const path = decodeURIComponent(pathname);
    const found = Object.entries(repositories).find(([id]) => belongs(path, id));
    const allowed = request.headers.authorization === `Bearer ${token}`;
    if (found === undefined) return refuse(response, { status: allowed ? 404 : 401, code: 'RepoNotFound' });
    const [id, repository] = found;
    if (repository.access === 'private' && !allowed)
      return refuse(response, { status: 401, code: 'RepoNotFound' });
    if (repository.access === 'gated' && !allowed && !path.startsWith('/api/'))
      return refuse(response, { status: 401, code: 'GatedRepo' });
    const fault = faults.find((one) => one.times > 0 && one.status !== undefined && path.includes(one.path));
    if (fault?.status !== undefined) {
      fault.times -= 1;
      if (fault.retryAfter !== undefined) response.setHeader('retry-after', String(fault.retryAfter));
      return void response.writeHead(fault.status).end();
    }
    const revision = /\/(?:revision|tree|resolve)\/((?:refs\/pr\/)?[^/?]+)/.exec(path)?.[1] ?? '';
    const commit = repository.refs[revision] ?? revision;
    const files = repository.commits[commit];
    if (files === undefined) return refuse(response, { status: 404, code: 'RevisionNotFound' });
    response.setHeader('x-repo-commit', commit);
    if (path.includes('/revision/'))
      return json(response, { _id: '1', id: id.replace('datasets/', ''), sha: commit });
    const rest = path.slice(path.indexOf(revision, path.search(/\/(tree|resolve)\//)) + revision.length + 1);
    if (path.includes('/tree/')) {
      const recursive = request.url?.includes('recursive=true') ?? false;
      const listing = treeOf(files, { folder: rest, recursive });
      return listing.length === 0 && rest !== ''
        ? refuse(response, { status: 404, code: 'EntryNotFound' })
        : json(response, listing);
    }
    const bytes = files[rest];
    if (bytes === undefined) return refuse(response, { status: 404, code: 'EntryNotFound' });
    if (!isLarge(rest)) return send(request, response, bytes, rest);
    large.set(sha256(bytes), bytes);
    response.setHeader('x-linked-size', bytes.length);
    response
      .writeHead(302, { location: `${storageAddress}/${sha256(bytes)}/${rest}?signature=secret-of-storage` })
      .end();
  });
  const endpoint = await listen(hub);
  return {
    endpoint,
    requests,
    faults,
    answers,
    seen: (path) => new Promise((tell) => watchers.push({ path, tell })),
    [Symbol.asyncDispose]: async () => {
      for (const server of [hub, storage]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

export async function listen(server: Server): Promise<string> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has a port
}

const belongs = (path: string, id: string): boolean =>
  [`/api/${id.startsWith('datasets/') ? id : `models/${id}`}/`, `/${id}/resolve/`].some((prefix) =>
    path.startsWith(prefix),
  );

function refuse(response: ServerResponse, { status, code }: { status: number; code: string }): void {
  response.writeHead(status, { 'x-error-code': code }).end();
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
}

function treeOf(
  files: Files,
  { folder, recursive }: { folder: string; recursive: boolean },
): readonly object[] {
  const inside = Object.entries(files).filter(([path]) => folder === '' || path.startsWith(`${folder}/`));
  const folders = new Set<string>();
  const entries = inside.flatMap(([path, bytes]) => {
    const rest = path.slice(folder === '' ? 0 : folder.length + 1);
    const [first] = rest.split('/');
    if (rest.includes('/') && !recursive) {
      folders.add(`${folder === '' ? '' : `${folder}/`}${first}`);
      return [];
    }
    const size = bytes.length;
    if (!isLarge(path)) return [{ type: 'file', path, size, oid: gitName(bytes) }];
    const lfs = { oid: sha256(bytes), size, pointerSize: 130 };
    return [{ type: 'file', path, size, oid: gitName(Buffer.from(lfs.oid)), lfs }];
  });
  return [...[...folders].map((path) => ({ type: 'directory', path, size: 0, oid: '0' })), ...entries];
}
