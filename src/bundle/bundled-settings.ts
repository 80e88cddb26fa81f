import { readFile } from 'node:fs/promises';
import { isObject, UserError } from '../core/index.ts';

/** From the project's folder. */
export const settingsPath = '.tuneloom/settings.yaml';

/** An address that means the same to everybody, and holds neither a password nor a query. */
export const isPublicAddress = (url: string): boolean =>
  /^(https|s3|hf):/i.test(url) && !/[?#]|\/\/[^/]*@|\$\{/.test(url);

/** Settings that name remotes by their addresses alone, as JSON, which is YAML. */
export const settingsText = (remotes: ReadonlyMap<string, string>): string =>
  `${JSON.stringify({ remotes: Object.fromEntries([...remotes].map(([name, url]) => [name, { url }])) }, null, 2)}\n`;

/**
 * The remotes in the settings of an unpacked bundle, by name. Throws a UserError for settings that could do more than name
 * public addresses: send a token, run stages on another machine, or write elsewhere.
 */
export async function readBundledSettings(path: string): Promise<ReadonlyMap<string, string>> {
  const remotes = new Map<string, string>();
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    const named = isObject(value) && Object.keys(value).length === 1 ? value.remotes : undefined;
    for (const [name, remote] of isObject(named) ? Object.entries(named) : []) {
      const url = isObject(remote) && Object.keys(remote).length === 1 ? remote.url : undefined;
      if (typeof url === 'string' && isPublicAddress(url)) remotes.set(name, url);
      else return refuse(name);
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return remotes.size === 0 ? refuse('it') : remotes;
}

function refuse(what: string): never {
  throw new UserError({
    code: 'unsafe-settings',
    message: `the bundle has settings that do more than name public remotes (${what}); nothing was opened`,
    help: 'ask whoever made it for one that `tuneloom bundle` wrote',
  });
}
