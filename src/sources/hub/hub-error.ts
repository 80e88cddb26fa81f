import { UserError } from '../../user-error.ts';
import { ConnectionFailure, HttpFailure } from '../http/http-failure.ts';
import { type HubAddress, revisionOf } from './hub-address.ts';
import type { HubSettings } from './hub-settings.ts';

interface Asked {
  readonly text: string;
  readonly address: HubAddress;
  readonly settings: HubSettings;
}

/** What a failure to reach the hub means to its user; anything else as it is. */
export function hubError(error: unknown, asked: Asked): unknown {
  if (error instanceof ConnectionFailure) return noConnection(error, asked);
  if (!(error instanceof HttpFailure)) return error;
  const { status, reason } = error;
  if (status === 401 || status === 403) return noPermission(error, asked);
  if (status === 404) return notThere(reason, asked);
  return new UserError({
    code: 'hub-not-available',
    message: `\`${asked.text}\` cannot be downloaded: the hub answers with status ${status}`,
    help: status === 429 ? 'it was asked too often: try again in some minutes' : 'try again later',
    cause: error,
  });
}

/** The hub does not tell a private repository from one that does not exist. */
function noPermission({ reason }: HttpFailure, { text, address, settings }: Asked): UserError {
  const page = `${settings.endpoint}/${address.type === 'dataset' ? 'datasets/' : ''}${address.name}`;
  const hasToken = settings.credential !== undefined;
  if (reason === 'GatedRepo' || hasToken)
    return new UserError({
      code: 'no-permission',
      message: hasToken
        ? `\`${text}\` is not open to the token in HF_TOKEN, or does not exist`
        : `\`${text}\` is gated: its owner asks who uses it`,
      help: hasToken
        ? `is the name right? A gated repository asks for consent on ${page}, with the account that the token is of`
        : `give your consent on ${page}, make a token at ${settings.endpoint}/settings/tokens and set HF_TOKEN to it`,
    });
  return new UserError({
    code: 'no-permission',
    message: `\`${text}\` is private or gated, or does not exist`,
    help: `is the name right? If so, set HF_TOKEN to a token of an account that may read ${page}`,
  });
}

function notThere(reason: string | undefined, { text, address }: Asked): UserError {
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

function noConnection(error: ConnectionFailure, { text, settings }: Asked): UserError {
  const { host } = new URL(settings.endpoint);
  return new UserError({
    code: 'no-connection',
    message: `\`${text}\` cannot be downloaded: no connection to ${host} (${error.message})`,
    help: 'check the network; a folder that was downloaded elsewhere is given by its path',
    cause: error,
  });
}

export const offlineError = (text: string): UserError =>
  new UserError({
    code: 'offline',
    message: `\`${text}\` is not on this machine, and HF_HUB_OFFLINE forbids to ask the hub`,
    help: 'unset HF_HUB_OFFLINE, or give the path of a folder that was downloaded elsewhere',
  });
