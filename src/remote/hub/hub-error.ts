import { UserError } from '../../core/index.ts';
import { ConnectionFailure, HttpFailure } from '../http/send-request.ts';
import { type HubAddress, revisionOf } from './hub-address.ts';
import type { HubSettings } from './hub-settings.ts';

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
    help: laterHelp(error),
    cause: error,
  });
}

function laterHelp({ status, retryAfterMilliseconds: wait }: HttpFailure): string {
  const when = wait === undefined ? undefined : `in ${Math.ceil(wait / 60_000)} min`;
  if (status === 429) return `too many requests: try again ${when ?? 'in a few minutes'}`;
  return when === undefined ? 'try again later' : `it asks to try again ${when}`;
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
