import { RemoteFailure, type RemoteStore } from '../../runtime/index.ts';
import { isPrivate, parseRemoteAddress } from './remote-address.ts';
import type { OpenRemote } from './remote-host.ts';

/** Opens a remote; uses no network yet. Loads only its own client. Throws a RemoteFailure for an address that is none. */
export async function openRemote(open: OpenRemote): Promise<RemoteStore> {
  const parsed = parseRemoteAddress(open.url, open);
  if ('problem' in parsed) throw new RemoteFailure({ kind: 'refused', ...parsed.problem });
  const { address } = parsed;
  if (open.token !== undefined && !/^[\x21-\x7e]+$/.test(open.token))
    throw new RemoteFailure({
      kind: 'refused',
      message: 'its token contains spaces or other characters that no token has',
      help: 'copy it again',
    });
  if (open.token !== undefined && !isPrivate(address))
    throw new RemoteFailure({
      kind: 'refused',
      message: 'its token would be sent over http:, where anyone on the way can read it',
      help: 'use https:, or leave the token out',
    });
  switch (address.scheme) {
    case 'file':
      return (await import('./file-store.ts')).fileStore(address.folder, open);
    case 'http':
      return (await import('./http-store.ts')).httpStore(address.url, open);
    case 's3':
      return (await import('./s3-store.ts')).s3Store(address, open);
    case 'hf':
      return (await import('./hub-store.ts')).hubStore(address, open);
    default:
      return address satisfies never;
  }
}
