import { UserError } from '../../core/index.ts';
import { ConnectionFailure, HttpFailure, sendRequest, withRetries } from '../http/send-request.ts';
import { type HubAddress, type HubFile, isInner, revisionOf } from './hub-address.ts';
import type { HubSettings } from './hub-settings.ts';

/** For answers of the hub's API. Files are downloaded in another way. */
const mostAnswerBytes = 64 * 2 ** 20;
const mostFiles = 100_000;

interface HubRequest {
  readonly settings: HubSettings;
  readonly signal: AbortSignal;
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
  const { sha } =
    type === 'model'
      ? await modelInfo({ ...asked, additionalFields: ['sha'] })
      : await datasetInfo({ ...asked, additionalFields: ['sha'] });
  if (typeof sha === 'string' && /^[0-9a-f]{40}$/.test(sha)) return sha;
  throw strangeAnswer('names no commit');
}

/** The files of a repository's folder at a commit. Throws if a name leads out of it. */
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
    if (count > mostFiles) throw strangeAnswer(`lists more than ${mostFiles} files`);
    if (kind !== 'file') continue;
    if (typeof path !== 'string' || !isInner(path))
      throw strangeAnswer('names a file that leads out of its folder');
    const hash = hashOf({ oid, lfs: lfs?.oid });
    files.push({ path, content: { size: sizeOf(lfs?.size ?? size), hash } });
  }
  return files;
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
function fetchOf({ settings, signal }: HubRequest): typeof fetch {
  return (input) =>
    withRetries(
      async () => {
        const url = new URL(input instanceof Request ? input.url : input);
        if (url.origin !== new URL(settings.endpoint).origin)
          throw strangeAnswer('continues on another host');
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
    if (size > mostAnswerBytes) throw strangeAnswer(`is longer than ${mostAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

const strangeAnswer = (what: string): UserError =>
  new UserError({
    code: 'strange-hub-answer',
    message: `the hub's answer ${what}`,
    help: 'is HF_ENDPOINT the address of a Hugging Face hub?',
  });

interface FailedRequest {
  readonly text: string;
  readonly address: HubAddress;
  readonly settings: HubSettings;
}

/** A failure to reach the hub, explained to the user; any other error unchanged. */
export function hubError(error: unknown, request: FailedRequest): unknown {
  if (error instanceof ConnectionFailure) return noConnection(error, request);
  if (!(error instanceof HttpFailure)) return error;
  const { status, reason } = error;
  if (status === 401 || status === 403) return noPermission(error, request);
  if (status === 404) return notFound(reason, request);
  return new UserError({
    code: 'hub-not-available',
    message: `\`${request.text}\` cannot be downloaded: the hub answers with status ${status}`,
    help: status === 429 ? 'too many requests: try again in a few minutes' : 'try again later',
    cause: error,
  });
}

/** The hub gives the same answer for a private repository and one that does not exist. */
function noPermission({ reason }: HttpFailure, { text, address, settings }: FailedRequest): UserError {
  const page = `${settings.endpoint}/${address.type === 'dataset' ? 'datasets/' : ''}${address.name}`;
  const hasToken = settings.credential !== undefined;
  if (reason === 'GatedRepo' || hasToken)
    return new UserError({
      code: 'no-permission',
      message: hasToken
        ? `the token in HF_TOKEN has no access to \`${text}\`, or it does not exist`
        : `\`${text}\` is gated: its owner asks for consent`,
      help: hasToken
        ? `is the name right? A gated repository asks for consent on ${page}, with the token's account`
        : `give your consent on ${page}, make a token at ${settings.endpoint}/settings/tokens and set HF_TOKEN to it`,
    });
  return new UserError({
    code: 'no-permission',
    message: `\`${text}\` is private or gated, or does not exist`,
    help: `is the name right? If so, set HF_TOKEN to a token of an account that may read ${page}`,
  });
}

function notFound(reason: string | undefined, { text, address }: FailedRequest): UserError {
  if (reason === 'RevisionNotFound')
    return new UserError({
      code: 'no-such-revision',
      message: `\`${text}\`: ${address.name} has no revision ${JSON.stringify(revisionOf(address))}`,
      help: 'a revision is a branch, a tag or a commit',
    });
  if (reason === 'EntryNotFound' && address.path !== undefined) return noSuchFile(text, address);
  const other =
    address.type === 'model' ? `a dataset is hf:datasets/${address.name}` : `a model is hf:${address.name}`;
  return new UserError({
    code: 'no-such-repository',
    message: `\`${text}\` does not exist on the hub`,
    help: `is the name right? ${other}`,
  });
}

export const noSuchFile = (text: string, { name, path }: HubAddress): UserError =>
  new UserError({
    code: 'no-such-file',
    message: `\`${text}\`: ${name} has no file or folder ${JSON.stringify(path)}`,
    help: "the path is the one from the repository's root, case included",
  });

function noConnection(error: ConnectionFailure, { text, settings }: FailedRequest): UserError {
  const { host } = new URL(settings.endpoint);
  return new UserError({
    code: 'no-connection',
    message: `\`${text}\` cannot be downloaded: no connection to ${host} (${error.message})`,
    help: 'check the network, or give the path of a folder that was downloaded elsewhere',
    cause: error,
  });
}

export const offlineError = (text: string): UserError =>
  new UserError({
    code: 'offline',
    message: `\`${text}\` is not on this machine, and HF_HUB_OFFLINE forbids asking the hub`,
    help: 'unset HF_HUB_OFFLINE, or give the path of a folder that was downloaded elsewhere',
  });
