import type { AddressProblem } from '../../runtime/index.ts';
import { isProtected } from '../http/send-request.ts';

/** Query parameters that may hold a secret. */
const secretName = /token|secret|passw|key|signature|^sig$|credential|auth|session/i;

/** Why a text cannot be the address of a file. It may contain a password, so the message does not repeat it. */
export function checkWebAddress(address: string): AddressProblem | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined)
    return {
      code: 'bad-address',
      message: 'this is not an address',
      help: 'write it like https://host/path/rows.jsonl',
    };
  if (
    url.username !== '' ||
    url.password !== '' ||
    [...url.searchParams.keys()].some((name) => secretName.test(name))
  )
    return {
      code: 'address-with-secret',
      message:
        'the address carries a password or a signature, and addresses are kept in files that others read',
      help: 'download the file yourself and give its path',
    };
  if (isProtected(url)) return undefined;
  return {
    code: 'unprotected-address',
    message: `what ${url.host} sends over http: could be changed on the way`,
    help: 'use https:, or download it and give its path',
  };
}
