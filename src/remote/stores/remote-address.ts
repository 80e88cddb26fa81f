import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AddressProblem } from '../../runtime/index.ts';
import { isProtected } from '../http/send-request.ts';
import { parseHubAddress } from '../hub/hub-address.ts';

/** A remote's address, parsed. */
export type RemoteAddress =
  | { readonly scheme: 'file'; readonly folder: string }
  | { readonly scheme: 'http'; readonly url: URL }
  | { readonly scheme: 's3'; readonly bucket: string; readonly prefix: string }
  | { readonly scheme: 'hf'; readonly repository: string; readonly branch: string };

const schemes = 'a path, file:, https:, s3: or hf:';

/**
 * Parses the address of a remote. `folder` is what a relative path is relative to. The message of a problem repeats no
 * secret.
 */
export function parseRemoteAddress(
  text: string,
  { folder }: { readonly folder: string },
): { readonly address: RemoteAddress } | { readonly problem: AddressProblem } {
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(text) ?? [];
  switch (scheme?.toLowerCase()) {
    case undefined:
      return text.trim() === '' ? bad('it is empty', `give ${schemes}`) : atFolder(resolve(folder, text));
    case 'file':
      return parseFile(text);
    case 'http':
    case 'https':
      return parseWeb(text);
    case 's3':
      return parseS3(text);
    case 'hf':
      return parseHub(text);
    default:
      return bad(`there is no remote of the kind \`${scheme}:\``, `give ${schemes}`);
  }
}

/** What is wrong with the address of a remote; undefined if nothing is. */
export function remoteAddressProblem(text: string): AddressProblem | undefined {
  const parsed = parseRemoteAddress(text, { folder: '/' });
  return 'problem' in parsed ? parsed.problem : undefined;
}

type Parsed = ReturnType<typeof parseRemoteAddress>;

const bad = (message: string, help: string): Parsed => ({ problem: { code: 'bad-remote', message, help } });

const atFolder = (folder: string): Parsed => ({ address: { scheme: 'file', folder } });

function parseFile(text: string): Parsed {
  try {
    const path = fileURLToPath(text);
    if (isAbsolute(path)) return atFolder(path);
  } catch {
    // Reported below.
  }
  return bad('this is not the address of a folder', `write it like ${pathToFileURL('/mnt/team/tuneloom')}`);
}

function parseWeb(text: string): Parsed {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '')
    return bad('this is not an address', 'write it like https://cache.example.org/tuneloom');
  const problem = secretIn(url);
  if (problem !== undefined) return problem;
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return { address: { scheme: 'http', url } };
}

function parseS3(text: string): Parsed {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const problem = url === undefined ? undefined : secretIn(url);
  if (problem !== undefined) return problem;
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]*)\/?(.*)$/i.exec(text) ?? [];
  if (!/^[a-z0-9][a-z0-9._-]{1,254}$/i.test(bucket))
    return bad('this names no bucket', 'write it like s3://bucket/folder');
  const names = path.split('/').filter((name) => name !== '');
  if (names.some((name) => name === '.' || name === '..'))
    return bad('its folder leads elsewhere', 'write it without `.` and `..`');
  return { address: { scheme: 's3', bucket, prefix: names.map((name) => `${name}/`).join('') } };
}

function parseHub(text: string): Parsed {
  const parsed = parseHubAddress(text);
  if (parsed?.type !== 'dataset' || parsed.path !== undefined || parsed.split !== undefined)
    return bad(
      'this is not a dataset repository of the hub',
      'write it like hf:datasets/owner/name or hf:datasets/owner/name@branch',
    );
  return { address: { scheme: 'hf', repository: parsed.name, branch: parsed.revision ?? 'main' } };
}

function secretIn(url: URL): Parsed | undefined {
  if (url.username === '' && url.password === '' && url.search === '' && url.hash === '') return undefined;
  return bad(
    'the address carries a password, a query or a fragment',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is how settings name a variable.
    'name secrets apart, as in token: ${env.TEAM_TOKEN}',
  );
}

/** Whether nobody on the way can read what is sent, such as a token. */
export const isPrivate = (address: RemoteAddress): boolean =>
  address.scheme !== 'http' || isProtected(address.url);
