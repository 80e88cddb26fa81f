import { existsSync } from 'node:fs';
import { remoteAddressProblem } from '../remote/index.ts';
import {
  findSettings,
  openStore,
  type SettingOrigin,
  type Settings,
  type Store,
  schemeOf,
} from '../runtime/index.ts';
import type { CommandContext } from './commands/command-declaration.ts';
import { SettingsMistakes, UsageError } from './exit-code.ts';

/** A command's pipeline file, or without one the project around the working directory; the file is not read. */
interface ProjectCall {
  readonly file?: string | undefined;
  readonly options: { readonly store?: string; readonly executor?: string };
  readonly context: CommandContext;
}

/** The settings in force. Throws SettingsMistakes if a settings file has any. */
export async function settingsOf({
  file = 'pipeline.yaml',
  options,
  context,
}: ProjectCall): Promise<Settings> {
  const { workingDirectory, environment } = context;
  if (options.store) checkStoreName(options.store, '--store');
  else checkStoreName(environment.TUNELOOM_STORE, 'TUNELOOM_STORE');
  checkVariables(environment);
  const found = await findSettings({
    pipelineFile: file,
    workingDirectory,
    environment,
    options,
    checkAddress: remoteAddressProblem,
  });
  if (found.ok) return found.value;
  throw new SettingsMistakes(found.error);
}

/** The chain of stores that the settings name; see settingsOf. */
export const storeOf = async (call: ProjectCall): Promise<Store> =>
  storeIn(await settingsOf(call), call.context);

/** The chain of stores that settings name. A shared one that is not there, such as a drive that is not mounted, is told. */
export function storeIn({ store, readonlyStores }: Settings, { terminal }: CommandContext): Store {
  for (const { value, origin } of readonlyStores)
    if (!existsSync(value))
      terminal.complain(`warning: there is no store ${value}, which ${originText(origin)} names`);
  return openStore(
    store.value,
    readonlyStores.map(({ value }) => value),
  );
}

/** Where a setting comes from, in words. */
export function originText(origin: SettingOrigin): string {
  switch (origin.kind) {
    case 'file':
      return `${origin.path}:${origin.line}`;
    case 'variable':
    case 'option':
      return origin.name;
    case 'default':
      return 'the default';
    default:
      return origin satisfies never;
  }
}

/** What variables with few values take. A misspelled `never` or `off` would let a job write, or ask remotes. */
const variables = { TUNELOOM_PUSH: ['auto', 'never'], TUNELOOM_REMOTES: ['on', 'off'] };

function checkVariables(environment: CommandContext['environment']): void {
  for (const [name, values] of Object.entries(variables)) {
    const said = environment[name];
    if (!said || values.includes(said)) continue;
    throw new UsageError({
      message: `${name} cannot be \`${said}\``,
      help: `it takes ${values.map((value) => `\`${value}\``).join(' or ')}`,
    });
  }
}

/** A store is a folder: an address would silently become a folder of that name. */
function checkStoreName(name: string | undefined, from: string): void {
  const scheme = schemeOf(name ?? '');
  if (scheme === undefined) return;
  throw new UsageError({
    message: `${from} names a \`${scheme}:\` address, and a store is a folder on this machine`,
    help: 'name a folder; an address is the `url` of a remote, in .tuneloom/settings.yaml',
  });
}
