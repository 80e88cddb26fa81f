import { isObject, UserError } from '../../core/index.ts';
import { type OnWait, sendRequest, withinAnswerTime, withRetries } from '../http/send-request.ts';
import { type HubAddress, type HubFile, isInner, revisionOf } from './hub-address.ts';
import type { HubSettings } from './hub-settings.ts';

/** For answers of the hub's API. Files are downloaded in another way. */
const mostAnswerBytes = 64 * 2 ** 20;
const mostFiles = 100_000;
/** Requests for one answer. A hub lists a thousand files a page. */
const mostPages = 1000;
/** For all pages of one answer together. */
const mostMilliseconds = 600_000;

interface HubRequest {
  readonly settings: HubSettings;
  readonly signal: AbortSignal;
  readonly onWait?: OnWait | undefined;
}

/** The commit that an address refers to now. */
export async function resolveCommit(address: HubAddress, request: HubRequest): Promise<string> {
  const { modelInfo, datasetInfo } = await import('@huggingface/hub');
  const { type, name } = address;
  const asked = {
    name,
    revision: revisionOf(address),
    hubUrl: request.settings.endpoint,
    fetch: fetchOf(request),
  };
  const { sha } = await understood(() =>
    type === 'model'
      ? modelInfo({ ...asked, additionalFields: ['sha'] })
      : datasetInfo({ ...asked, additionalFields: ['sha'] }),
  );
  if (typeof sha === 'string' && /^[0-9a-f]{40}$/.test(sha)) return sha;
  throw strangeAnswer('names no commit');
}

/** The files of a repository's folder at a commit. Throws if a name leads out of it. */
export async function listRepository(
  { type, name }: HubAddress,
  list: HubRequest & { readonly commit: string; readonly folder: string; readonly recursive: boolean },
): Promise<readonly HubFile[]> {
  return understood(() => filesListed({ type, name }, list));
}

async function filesListed(
  { type, name }: Pick<HubAddress, 'type' | 'name'>,
  list: Parameters<typeof listRepository>[1],
): Promise<readonly HubFile[]> {
  const { listFiles } = await import('@huggingface/hub');
  const { commit, folder, recursive, settings } = list;
  const files: HubFile[] = [];
  const entries = listFiles({
    repo: { type, name },
    revision: commit,
    recursive,
    ...(folder === '' ? {} : { path: encoded(folder) }),
    hubUrl: settings.endpoint,
    fetch: fetchOf(list),
  });
  let count = 0;
  for await (const entry of entries) {
    if (!isObject(entry)) throw strangeAnswer('lists what is no file');
    const { type: kind, path, size, oid, lfs } = entry;
    count += 1;
    if (count > mostFiles) throw strangeAnswer(`lists more than ${mostFiles} files`);
    if (kind !== 'file') continue;
    if (typeof path !== 'string' || !isInner(path))
      throw strangeAnswer('names a file that leads out of its folder');
    const hash = hashOf({ oid, lfs: lfs?.oid });
    files.push({ path, content: { size: sizeOf(lfs?.size ?? size), hash } });
  }
  return files;
}

/** The hub package and this file read an answer as a hub would give it; what else may come makes them throw a TypeError. */
async function understood<Value>(read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError)
      throw strangeAnswer('is not what a hub answers', error);
    throw error;
  }
}

/** The address of a file's bytes. */
export const fileUrl = (
  { type, name }: HubAddress,
  file: { readonly endpoint: string; readonly commit: string; readonly path: string },
): URL =>
  new URL(
    `${file.endpoint}/${type === 'dataset' ? 'datasets/' : ''}${name}/resolve/${file.commit}/${encoded(file.path)}`,
  );

const encoded = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

function hashOf(of: { readonly oid: unknown; readonly lfs: unknown }): HubFile['content']['hash'] {
  const sha256 = typeof of.lfs === 'string' ? of.lfs.replace(/^sha256:/, '') : undefined;
  if (sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256)) return { kind: 'sha256', hex: sha256 };
  if (of.lfs === undefined && typeof of.oid === 'string' && /^[0-9a-f]{40}$/.test(of.oid))
    return { kind: 'git', hex: of.oid };
  throw strangeAnswer('lists a file without its hash');
}

function sizeOf(size: unknown): number {
  if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return size;
  throw strangeAnswer('lists a file without its size');
}

/** Sends the hub package's requests under our rules for redirects, retries, the token's host and the size of answers. */
function fetchOf({ settings, signal, onWait }: HubRequest): typeof fetch {
  const start = performance.now();
  let pages = 0;
  return (input) => {
    pages += 1;
    if (pages > mostPages) throw strangeAnswer(`has more than ${mostPages} pages`);
    return withRetries(
      async () => {
        if (performance.now() - start > mostMilliseconds)
          throw strangeAnswer(`takes more than ${mostMilliseconds / 60_000} minutes`);
        const url = new URL(input instanceof Request ? input.url : input);
        if (url.origin !== new URL(settings.endpoint).origin)
          throw strangeAnswer('continues on another host');
        const { credential } = settings;
        const headers = { accept: 'application/json' };
        return withinAnswerTime({ url, signal }, async (limited) => {
          const response = await sendRequest({ url, credential, signal: limited, headers });
          const body = await bodyOf(response);
          if (!isJson(body))
            throw strangeAnswer('is not JSON: a network may answer in its place to ask for a login');
          return new Response(body, { status: 200, headers: response.headers });
        });
      },
      { signal, onWait },
    );
  };
}

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(bytes).toString());
    return true;
  } catch {
    return false;
  }
}

async function bodyOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > mostAnswerBytes) throw strangeAnswer(`is longer than ${mostAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

const strangeAnswer = (what: string, cause?: Error): UserError =>
  new UserError({
    code: 'strange-hub-answer',
    message: `the hub's answer ${what}`,
    help: 'is HF_ENDPOINT the address of a Hugging Face hub?',
    cause,
  });
