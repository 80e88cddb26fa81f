import { homedir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../core/index.ts';
import { type Credential, isProtected } from '../http/send-request.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings of the hub, from the environment variables that Hugging Face's own tools read. */
export interface HubSettings {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly credential: Credential | undefined;
  readonly offline: boolean;
  /** Where Hugging Face's tools keep downloads; never written to. */
  readonly cacheFolder: string;
}

export function hubSettings(environment: Environment): HubSettings {
  const endpoint = endpointOf(environment.HF_ENDPOINT);
  const token = tokenOf(environment.HF_TOKEN);
  return {
    endpoint: endpoint.href.replace(/\/+$/, ''),
    credential: token === undefined ? undefined : { origin: endpoint.origin, token },
    offline: /^(1|true|yes|on)$/i.test(environment.HF_HUB_OFFLINE ?? ''),
    cacheFolder: cacheFolderOf(environment),
  };
}

function endpointOf(text: string | undefined): URL {
  if (text === undefined || text === '') return new URL('https://huggingface.co');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url !== undefined &&
    isProtected(url) &&
    url.username === '' &&
    url.password === '' &&
    url.search === ''
  )
    return url;
  throw new UserError({
    code: 'bad-hub-endpoint',
    message: 'the environment variable HF_ENDPOINT is not an https address without a password',
    help: 'write it like https://huggingface.co, or unset it',
  });
}

/** Checked here, as the error for a value that a header cannot carry would repeat it. */
function tokenOf(text: string | undefined): string | undefined {
  const token = text?.trim() ?? '';
  if (token === '') return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new UserError({
    code: 'bad-hub-token',
    message:
      'the environment variable HF_TOKEN is not a token: it contains spaces or other invalid characters',
    help: 'copy it again from https://huggingface.co/settings/tokens',
  });
}

function cacheFolderOf({
  HF_HUB_CACHE,
  HUGGINGFACE_HUB_CACHE,
  HF_HOME,
  XDG_CACHE_HOME,
  HOME,
}: Environment): string {
  const home = HF_HOME || join(XDG_CACHE_HOME || join(HOME || homedir(), '.cache'), 'huggingface');
  return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home, 'hub');
}
