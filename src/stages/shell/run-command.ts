import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa, type Result } from 'execa';
import { UserError } from '../../core/index.ts';
import { SecretFilter } from '../../runtime/index.ts';

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
export async function runCommand(command: Command): Promise<void> {
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
