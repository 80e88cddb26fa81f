import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa, type Result } from 'execa';
import { newTemporaryFolder, UserError } from '../../core/index.ts';
import type { ShellConfig } from '../../generated/shell-config.ts';
import { type ActionPort, SecretFilter, type StageModule, secretsIn } from '../../runtime/index.ts';
import { portCodecs } from '../ports/port-codecs.ts';
import { withPaths } from './path-variables.ts';

/** Runs the command in an empty folder, with the paths of its ports in variables; its output becomes notes. */
export const run: StageModule['run'] = async (action, host) => {
  const config = action.config as unknown as ShellConfig; // decode edge: the stage's schema has accepted it
  const { variables, secrets } = commandEnvironment(config.environment, process.env);
  const paths = {
    ...pathsOf('IN', action.inputs),
    ...pathsOf('OUT', action.outputs),
    ...Object.fromEntries(Object.entries(config.files).map(([name, path]) => [`FILE_${name}`, path])),
  };
  const folder = await newTemporaryFolder('tuneloom-shell-');
  try {
    await runCommand({
      command:
        typeof config.command === 'string'
          ? config.command
          : config.command.map((argument) => withPaths(argument, paths)),
      folder,
      variables: { ...variables, ...paths },
      secrets,
      signal: host.signal,
      onLine: (message) => host.report({ type: 'note', level: 'info', message }),
    });
    await checkOutputs(config, paths);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return {};
};

/** These are shown at the end of the run, when it is too late to refuse them. Stages check the other outputs. */
async function checkOutputs(
  { outputs }: ShellConfig,
  paths: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, type] of Object.entries(outputs)) {
    const path = paths[`OUT_${name}`];
    if (path === undefined || !existsSync(path)) continue;
    try {
      if (type === 'scores') await portCodecs.scores.read(path).read();
      if (type !== 'responses' && type !== 'history') continue;
      for await (const _ of portCodecs[type].read(path));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const { code, help } = error;
      // The file is gone when the message is read.
      const message = error.message.replaceAll(path, `$OUT_${name}`);
      throw new UserError({ code, message, ...(help === undefined ? {} : { help }), cause: error });
    }
  }
}

function pathsOf(prefix: string, ports: Readonly<Record<string, ActionPort>>): Record<string, string> {
  const named = Object.entries(ports).map(([name, port]): readonly [string, string] => {
    if ('path' in port) return [`${prefix}_${name}`, port.path];
    throw new Error(`Port ${name} takes one content, and was given parts`);
  });
  return Object.fromEntries(named);
}

interface Command {
  /** A line for the shell, or a program with its arguments. */
  readonly command: string | readonly string[];
  readonly folder: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Texts to hide in what the command writes. */
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

const tailLines = 20;
/** A line that is longer comes in pieces. */
const longestLine = 2 ** 16;
const graceMilliseconds = 3_000;

/** Runs a command and all that it starts to the end. Throws a UserError unless it succeeds. */
async function runCommand(command: Command): Promise<void> {
  const { signal } = command;
  signal.throwIfAborted();
  const running = start(command);
  // The system refused it; execa's promise then has no lines to read.
  if (running.pid === undefined) throw failureOf(await running, []);
  const ended = new AbortController();
  signal.addEventListener('abort', () => killGroup(running.pid, ended.signal), {
    once: true,
    signal: ended.signal,
  });
  // A stage process that loses its parent exits before the grace period is over.
  const killNow = (): void => signalGroup(running.pid, 'SIGKILL');
  process.on('exit', killNow);
  const tail: string[] = [];
  const [result] = await Promise.all([
    running,
    eachLine(running.stdout, command.secrets, command.onLine),
    eachLine(running.stderr, command.secrets, (line) => {
      tail.push(line.slice(0, 2000));
      if (tail.length > tailLines) tail.shift();
      command.onLine(line);
    }),
  ]).finally(() => {
    ended.abort();
    process.off('exit', killNow);
  });
  signal.throwIfAborted();
  if (result.failed) throw failureOf(result, tail);
}

function start({ command, folder, variables }: Command) {
  const [program = '', ...args] = [command].flat();
  try {
    return execa(program, args, {
      shell: typeof command === 'string',
      cwd: folder,
      env: variables,
      extendEnv: false,
      stdin: 'ignore',
      buffer: false,
      reject: false,
      // Its own process group, so that everything the command started ends with it.
      detached: true,
    });
  } catch (error) {
    // Execa refuses some arguments itself, such as one with a null byte.
    throw cannotStart({ why: error instanceof Error ? error.message : String(error) });
  }
}

const startHelp: Readonly<Record<string, string>> = {
  E2BIG: 'its arguments and variables are longer than the system allows: put long text into a file',
  EACCES:
    'the first word must name a program that may be executed: `chmod +x` a script, or put its interpreter first',
};

function cannotStart({
  why,
  code = '',
}: {
  readonly why: string;
  readonly code?: string | undefined;
}): UserError {
  const help = startHelp[code];
  return new UserError({
    code: 'command-failed',
    message: `the command cannot be started: ${why}`,
    ...(help && { help }),
  });
}

/** Asks the whole group to end, and kills it after a grace period. */
async function killGroup(pid: number | undefined, ended: AbortSignal): Promise<void> {
  signalGroup(pid, 'SIGTERM');
  const late = await sleep(graceMilliseconds, true, { signal: ended }).catch(() => false);
  if (late) signalGroup(pid, 'SIGKILL');
}

function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // The group has already ended.
  }
}

/** Calls `onLine` with each line, without secrets. Reads no faster than the lines are taken. */
async function eachLine(
  stream: Readable,
  secrets: readonly string[],
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new StringDecoder('utf8');
  const filter = new SecretFilter(secrets);
  let rest = '';
  const take = (text: string): void => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(lastState(line));
    if (rest.length < longestLine) return;
    onLine(lastState(rest));
    rest = '';
  };
  try {
    for await (const piece of stream) take(filter.push(decoder.write(piece)));
  } catch {
    // The end of the command says what failed.
  }
  take(filter.push(decoder.end()) + filter.end());
  if (rest !== '') onLine(lastState(rest));
}

/** The last state of a progress bar, which overwrites itself. */
const lastState = (line: string): string => line.replace(/\r$/, '').split('\r').at(-1) ?? '';

function failureOf(
  result: Pick<Result, 'exitCode' | 'signal' | 'code' | 'command' | 'originalMessage'>,
  tail: readonly string[],
): UserError {
  if (result.exitCode === undefined && result.signal === undefined && result.code !== 'ENOENT')
    return cannotStart({ why: result.originalMessage ?? 'the system refused it', code: result.code });
  const how =
    result.code === 'ENOENT'
      ? `cannot be found: ${result.command}`
      : result.signal === undefined
        ? `ended with exit code ${result.exitCode}`
        : `was killed by ${result.signal}`;
  return new UserError({
    code: 'command-failed',
    message: [`the command ${how}`, ...tail].join('\n'),
    ...(tail.length === 0 ? {} : { help: 'the lines above are the end of what it wrote to stderr' }),
  });
}

const always = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

/** Python writes no compiled files beside a program: one of the same size and second as an edit would hide the edit. */
const settings = { PYTHONDONTWRITEBYTECODE: '1' };

interface CommandEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  /** Values that are passed through by name and may be secrets. */
  readonly secrets: readonly string[];
}

/** The environment that a command sees: what it needs to run at all, and what the configuration names. */
function commandEnvironment(
  declared: ShellConfig['environment'],
  outside: NodeJS.ProcessEnv,
): CommandEnvironment {
  const given = always.flatMap((name) =>
    outside[name] === undefined ? [] : [[name, outside[name]] as const],
  );
  if (!Array.isArray(declared))
    return { variables: { ...settings, ...Object.fromEntries(given), ...declared }, secrets: [] };
  const passed = declared.map((name): readonly [string, string] => [name, passedThrough(name, outside)]);
  return {
    variables: { ...settings, ...Object.fromEntries([...given, ...passed]) },
    secrets: secretsIn(passed.map(([, value]) => value)),
  };
}

function passedThrough(name: string, outside: NodeJS.ProcessEnv): string {
  const value = outside[name];
  if (value !== undefined) return value;
  throw new UserError({
    code: 'missing-variable',
    message: `the environment variable ${name}, which the command needs, is not set`,
    help: `set it, or give it a value with \`environment: { ${name}: ... }\``,
  });
}
