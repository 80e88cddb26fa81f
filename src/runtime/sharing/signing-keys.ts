import { readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { UserError } from '../../core/index.ts';
import { hasErrorCode } from '../store/system-error.ts';
import {
  makeSigningKey,
  openSigningKey,
  type PublicKey,
  parsePublicKey,
  type SigningKey,
} from './signature.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Gives the private key to a job that has no home folder. */
export const signingKeyVariable = 'TUNELOOM_SIGNING_KEY';

/** `$XDG_CONFIG_HOME/tuneloom/signing-key`, by default in `~/.config`, beside the person's settings. */
export const signingKeyPath = ({ XDG_CONFIG_HOME, HOME }: Environment): string =>
  join(XDG_CONFIG_HOME || join(HOME || homedir(), '.config'), 'tuneloom', 'signing-key');

/** The key of this person or job; undefined if there is none yet. Throws a UserError, without the key, if it is none. */
export function findSigningKey(environment: Environment): SigningKey | undefined {
  const given = environment[signingKeyVariable];
  const path = signingKeyPath(environment);
  const text = given || textAt(path);
  if (text === undefined) return undefined;
  const key = openSigningKey(text);
  if (key !== undefined) return key;
  throw new UserError({
    code: 'bad-signing-key',
    message: `${given ? `the environment variable ${signingKeyVariable}` : path} holds no Ed25519 key`,
    help: given
      ? 'give it the line that `tuneloom key --new` prints'
      : 'restore it from a copy, or remove it: `tuneloom key` makes a new one, which others must trust first',
  });
}

function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The key of this person; makes one, which only its owner can read, if there is none. */
export async function ownSigningKey(environment: Environment): Promise<SigningKey> {
  const found = findSigningKey(environment);
  if (found !== undefined) return found;
  const path = signingKeyPath(environment);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(path, `${makeSigningKey().secret}\n`, { flag: 'wx', mode: 0o600 });
    await chmod(path, 0o600);
  } catch (error) {
    // Another process has just made it.
    if (!hasErrorCode(error, 'EEXIST')) throw error;
  }
  return ownSigningKey(environment);
}

/** The keys whose signatures count: those that settings name, each with or without a name after it, and one's own. */
export function trustedKeys(named: readonly string[], own: SigningKey | undefined): ReadonlySet<PublicKey> {
  const keys = named.flatMap((text) => parsePublicKey(text.trim().split(/\s/)[0]) ?? []);
  return new Set([...keys, ...(own === undefined ? [] : [own.publicKey])]);
}
