import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../core/index.ts';
import { ConnectionFailure, HttpFailure, isProtected, withRetries } from '../http/send-request.ts';
import { parseHubAddress, revisionOf } from './hub-address.ts';
import { type Environment, type HubSettings, hubSettings } from './hub-settings.ts';

/** A model repository to upload to. */
export interface HubPush {
  /** Uploads those files of a folder, in one commit, that the repository does not hold already. */
  readonly upload: (folder: string, files: readonly string[]) => Promise<Pushed>;
}

export interface Pushed {
  /** The repository's address. */
  readonly url: string;
  readonly sent: readonly string[];
  /** Whether this push created the repository. */
  readonly isNew: boolean;
}

/**
 * Prepares an upload to `hf:owner/name` or `hf:owner/name@branch` with the token in HF_TOKEN; uses no network yet. Throws a
 * UserError if the address names anything but a model repository, or without a token.
 */
export function hubPush(
  text: string,
  {
    environment,
    visibility,
  }: {
    readonly environment: Environment;
    /** Of a repository that does not exist yet. */
    readonly visibility: 'private' | 'public';
  },
): HubPush {
  const address = parseHubAddress(text);
  if (address === undefined || address.type !== 'model' || address.path !== undefined)
    throw new UserError({
      code: 'bad-address',
      message: 'the address to push to is not a model repository on the Hugging Face hub',
      help: 'write hf:owner/name or hf:owner/name@branch',
    });
  const settings = hubSettings(environment);
  if (settings.offline)
    throw new UserError({
      code: 'offline',
      message: 'HF_HUB_OFFLINE forbids pushing to the hub',
      help: 'unset it',
    });
  if (settings.credential === undefined)
    throw new UserError({
      code: 'no-permission',
      message: 'pushing to the hub needs a token',
      help: `make one that may write at ${settings.endpoint}/settings/tokens and set HF_TOKEN to it`,
    });
  const repo = { type: 'model', name: address.name } as const;
  const common = { repo, hubUrl: settings.endpoint, fetch: uploadFetch(settings), accessToken: placeholder };
  return {
    async upload(folder, files) {
      const { createRepo, commit } = await import('@huggingface/hub');
      const branch = revisionOf(address);
      try {
        const isNew = await createRepo({ ...common, visibility }).then(
          () => true,
          (error: unknown) => {
            if (error instanceof HttpFailure && error.status === 409) return false; // it exists
            throw error;
          },
        );
        const held = isNew ? new Set() : await filesHeld(folder, files, { ...common, revision: branch });
        const sent = files.filter((path) => !held.has(path));
        if (sent.length > 0)
          await commit({
            ...common,
            title: 'Upload a model with tuneloom',
            branch,
            operations: sent.map((path) => ({
              operation: 'addOrUpdate',
              path,
              content: pathToFileURL(join(folder, path)),
            })),
          });
        return { url: `${settings.endpoint}/${address.name}`, sent, isNew };
      } catch (error) {
        throw pushError(error, { text, settings });
      }
    },
  };
}

/** Those files of a folder that a branch of a repository holds with the same content. */
async function filesHeld(
  folder: string,
  files: readonly string[],
  repository: {
    readonly repo: { readonly type: 'model'; readonly name: string };
    readonly revision: string;
    readonly hubUrl: string;
    readonly fetch: typeof fetch;
    readonly accessToken: string;
  },
): Promise<ReadonlySet<string>> {
  const { pathsInfo } = await import('@huggingface/hub');
  const found = await pathsInfo({ ...repository, paths: [...files] }).catch((error: unknown) => {
    if (error instanceof HttpFailure && error.status === 404) return []; // no such branch yet
    throw error;
  });
  const held = new Set<string>();
  for (const { path, oid, lfs } of found) {
    if (!files.includes(path)) continue;
    const own = await digestOf(join(folder, path), lfs === undefined ? 'git' : 'lfs');
    if (own === (lfs?.oid ?? oid)) held.add(path);
  }
  return held;
}

/** As Git names a file's content, or as Git LFS does. */
async function digestOf(path: string, kind: 'git' | 'lfs'): Promise<string> {
  const hash = createHash(kind === 'git' ? 'sha1' : 'sha256');
  if (kind === 'git') hash.update(`blob ${(await stat(path)).size}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** The hub package gets this instead of the token, which only `uploadFetch` knows. */
export const placeholder = 'hf_placeholder';

/** Sends the hub package's requests; the token goes to the hub alone, not to the storage that takes large files. */
export const hubFetch =
  ({ credential }: Pick<HubSettings, 'credential'>): typeof fetch =>
  async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (!isProtected(url))
      throw new UserError({
        code: 'strange-hub-answer',
        message: 'the hub asks for an upload that is not https',
      });
    const headers = new Headers(init?.headers);
    if (headers.get('authorization')?.includes(placeholder)) headers.delete('authorization');
    if (credential?.origin === url.origin) headers.set('authorization', `Bearer ${credential.token}`);
    const response = await fetch(url, { ...init, headers, redirect: 'manual' }).catch((error: unknown) => {
      throw new ConnectionFailure(error);
    });
    if (response.ok) return response;
    await response.body?.cancel();
    throw new HttpFailure(response);
  };

function uploadFetch(settings: HubSettings): typeof fetch {
  const send = hubFetch(settings);
  return (input, init) =>
    withRetries(() => send(input, init), { signal: init?.signal ?? new AbortController().signal });
}

function pushError(error: unknown, { text, settings }: { text: string; settings: HubSettings }): unknown {
  if (error instanceof ConnectionFailure)
    return new UserError({
      code: 'no-connection',
      message: `\`${text}\` cannot be pushed to: no connection to ${new URL(settings.endpoint).host} (${error.message})`,
      help: 'check the network and try again',
      cause: error,
    });
  if (!(error instanceof HttpFailure)) return error;
  if ([401, 403, 404].includes(error.status))
    return new UserError({
      code: 'no-permission',
      message: `the token in HF_TOKEN may not write to \`${text}\``,
      help: `is the name right? A token gets its permissions at ${settings.endpoint}/settings/tokens`,
    });
  return new UserError({
    code: 'hub-not-available',
    message: `\`${text}\` cannot be pushed to: the hub answers with status ${error.status}`,
    help: 'try again later',
    cause: error,
  });
}
