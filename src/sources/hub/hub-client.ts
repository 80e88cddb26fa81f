import { UserError } from '../../user-error.ts';
import { sendRequest } from '../http/send-request.ts';
import { withRetries } from '../http/with-retries.ts';
import { type HubAddress, isInner, revisionOf } from './hub-address.ts';
import type { HubFile } from './hub-file.ts';
import type { HubSettings } from './hub-settings.ts';

/** Answers of the hub's interface are lists and facts; weights come another way. */
const mostAnswerBytes = 64 * 2 ** 20;
const mostFiles = 100_000;

export interface HubRequest {
  readonly settings: HubSettings;
  readonly signal: AbortSignal;
}

/** The commit that an address means now. */
export async function resolveCommit(address: HubAddress, request: HubRequest): Promise<string> {
  const { modelInfo, datasetInfo } = await import('@huggingface/hub');
  const { type, name } = address;
  const asked = {
    name,
    revision: revisionOf(address),
    hubUrl: request.settings.endpoint,
    fetch: fetchOf(request),
  };
  const { sha } =
    type === 'model'
      ? await modelInfo({ ...asked, additionalFields: ['sha'] })
      : await datasetInfo({ ...asked, additionalFields: ['sha'] });
  if (typeof sha === 'string' && /^[0-9a-f]{40}$/.test(sha)) return sha;
  throw strange('names no commit');
}

/** The files of a repository's folder at a commit. Throws where one has a name that leads out of it. */
export async function listRepository(
  { type, name }: HubAddress,
  list: HubRequest & { readonly commit: string; readonly folder: string; readonly recursive: boolean },
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
  for await (const { type: kind, path, size, oid, lfs } of entries) {
    count += 1;
    if (count > mostFiles) throw strange(`lists more than ${mostFiles} files`);
    if (kind !== 'file') continue;
    if (typeof path !== 'string' || !isInner(path))
      throw strange('names a file that leads out of its folder');
    const hash = hashOf({ oid, lfs: lfs?.oid });
    files.push({ path, content: { size: sizeOf(lfs?.size ?? size), hash } });
  }
  return files;
}

/** Where a file's bytes are. */
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
  throw strange('lists a file without its hash');
}

function sizeOf(size: unknown): number {
  if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return size;
  throw strange('lists a file without its size');
}

/** The hub package's requests by our own rules: redirects, retries, the token's host, how long an answer may be. */
function fetchOf({ settings, signal }: HubRequest): typeof fetch {
  return (input) =>
    withRetries(
      async () => {
        const url = new URL(input instanceof Request ? input.url : input);
        if (url.origin !== new URL(settings.endpoint).origin) throw strange('goes on at another host');
        const { credential } = settings;
        const headers = { accept: 'application/json' };
        const response = await sendRequest({ url, credential, signal, headers });
        return new Response(await bodyOf(response), { status: 200, headers: response.headers });
      },
      { signal },
    );
}

async function bodyOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > mostAnswerBytes) throw strange(`is longer than ${mostAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

const strange = (what: string): UserError =>
  new UserError({
    code: 'strange-hub-answer',
    message: `the hub's answer ${what}`,
    help: 'is HF_ENDPOINT the address of a Hugging Face hub?',
  });
