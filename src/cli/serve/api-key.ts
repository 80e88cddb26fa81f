import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CommandContext } from '../commands/command-declaration.ts';
import { UsageError } from '../exit-code.ts';

const keyVariable = 'TUNELOOM_API_KEY';

/**
 * The key that clients have to bring, from a file or the environment: other users see a command line. Throws a UsageError
 * for what is no key, and where other machines could use the server without one.
 */
export async function apiKeyOf(
  { apiKeyFile, host }: { readonly apiKeyFile?: string; readonly host: string },
  { environment, workingDirectory }: CommandContext,
): Promise<string | undefined> {
  const key =
    apiKeyFile === undefined
      ? environment[keyVariable] || undefined
      : (await readKeyFile(resolve(workingDirectory, apiKeyFile))).trim();
  if (key === undefined && !isLoopback(host))
    throw new UsageError({
      message: `other machines can reach ${host}, and there is no API key`,
      help: `set ${keyVariable}, or name a file that holds the key with --api-key-file`,
    });
  if (key === undefined || /^[\x21-\x7e]{8,512}$/.test(key)) return key;
  throw new UsageError({
    message: `${apiKeyFile === undefined ? keyVariable : apiKeyFile} holds no usable API key`,
    help: 'a key is 8 to 512 printable ASCII characters without white space, such as `openssl rand -hex 32` prints',
  });
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw new UsageError({ message: `${path} cannot be read`, help: 'name a file that holds the API key' });
  }
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host);

/** The model's process needs none of our secrets. */
export function withoutKeys(environment: CommandContext['environment']): NodeJS.ProcessEnv {
  const secret = [keyVariable, 'OPENAI_API_KEY', 'HF_TOKEN', 'TUNELOOM_SIGNING_KEY'];
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !secret.includes(name)));
}
