import { didYouMean } from '../core/index.ts';
import { openRemote } from '../remote/index.ts';
import {
  parseDuration,
  RemoteFailure,
  type RemoteSettings,
  type RemoteStore,
  type Setting,
  type Settings,
} from '../runtime/index.ts';
import type { CommandContext } from './commands/command-declaration.ts';
import { type ExitCode, exitCode, UsageError } from './exit-code.ts';
import { errorText } from './terminal/safe-text.ts';
import type { Terminal } from './terminal/terminal.ts';

/** As openFromSettings, for a command that is about this remote: throws a UsageError. */
export async function openNamedRemote(
  name: string,
  setting: Setting<RemoteSettings>,
  context: RemoteContext,
): Promise<RemoteStore> {
  try {
    return await openFromSettings(name, setting, context);
  } catch (error) {
    throw error instanceof RemoteFailure ? remoteError(name, error) : error;
  }
}

type RemoteContext = Pick<CommandContext, 'environment' | 'workingDirectory'>;

/** Opens a remote of the settings; uses no network yet. Throws a RemoteFailure if its settings cannot be used. */
export async function openFromSettings(
  name: string,
  { value, unset }: Setting<RemoteSettings>,
  { environment, workingDirectory }: RemoteContext,
): Promise<RemoteStore> {
  const [variable] = unset;
  if (variable !== undefined)
    throw new RemoteFailure({
      kind: 'refused',
      message: `it needs the environment variable ${variable}, which is not set`,
    });
  const { push: _, timeout: __, ...rest } = value;
  const idleMilliseconds = timeoutOf(value);
  return await openRemote({ ...rest, name, folder: workingDirectory, idleMilliseconds, environment });
}

/** How long a remote may be silent, in milliseconds. */
export const timeoutOf = ({ timeout }: RemoteSettings): number =>
  typeof timeout === 'number' ? timeout * 1000 : (parseDuration(timeout) ?? defaultTimeout);

const defaultTimeout = 30_000;

/** The remote that a command line names; without a name the only one, or the only one that runs push to. */
export function chooseRemote(
  { remotes }: Pick<Settings, 'remotes'>,
  name: string | undefined,
): { readonly name: string; readonly setting: Setting<RemoteSettings> } {
  const names = [...remotes.keys()];
  if (names.length === 0)
    throw new UsageError({
      message: 'the settings name no remote, or TUNELOOM_REMOTES is `off`',
      help: 'add one, as in `tuneloom remote add team s3://bucket/folder`',
    });
  const pushed = names.filter((each) => remotes.get(each)?.value.push === 'auto');
  const [only = '', another] = names.length === 1 ? names : pushed;
  const chosen = name ?? (another === undefined ? only : '');
  const setting = remotes.get(chosen);
  if (setting !== undefined) return { name: chosen, setting };
  if (name === undefined)
    throw new UsageError({
      message: `there are several remotes: ${names.join(', ')}`,
      help: `name one of them, as in \`--remote ${names[0]}\``,
    });
  throw new UsageError({
    message: `the settings name no remote \`${name}\``,
    help: didYouMean(name, names) ?? `there is ${names.join(', ')}`,
  });
}

/** A remote's failure as an error of the command. */
const remoteError = (name: string, { message, help }: RemoteFailure): UsageError =>
  new UsageError({ message: `the remote \`${name}\`: ${message}`, help });

/** Prints why a transfer has failed, and returns the exit code. */
export function reportRemoteFailure(
  name: string,
  { failure, terminal, json }: { failure: RemoteFailure; terminal: Terminal; json: boolean | undefined },
): ExitCode {
  const { message, help } = remoteError(name, failure);
  if (json)
    terminal.print(
      JSON.stringify({ errors: [{ code: `remote-${failure.kind}`, message, ...(help && { help }) }] }),
    );
  else terminal.complain(errorText({ message, help }));
  return exitCode.stageFailed;
}
