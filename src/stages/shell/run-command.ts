import { setTimeout as sleep } from 'node:timers/promises';
import { execa, type Result } from 'execa';
import { hideSecrets } from '../../runtime/stage/hide-secrets.ts';
import { UserError } from '../../user-error.ts';

export interface Command {
  /** A line for the shell, or a program with its arguments. */
  readonly command: string | readonly string[];
  readonly folder: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Texts that are not shown, whatever the command writes. */
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

const tailLines = 20;
const lineLength = 2_000;
const graceMilliseconds = 3_000;

/** Runs a command to its end, with all that it starts; a UserError tells of an end that is not success. */
export async function runCommand(command: Command): Promise<void> {
  const { signal } = command;
  signal.throwIfAborted();
  const running = start(command);
  const ended = new AbortController();
  signal.addEventListener('abort', () => killGroup(running.pid, ended.signal), {
    once: true,
    signal: ended.signal,
  });
  const tail: string[] = [];
  const say = (line: string): string => {
    // Secrets first: what is cut off could be one's end.
    const shown = lastState(hideSecrets(line, command.secrets)).slice(0, lineLength);
    command.onLine(shown);
    return shown;
  };
  const [result] = await Promise.all([
    running,
    eachLine(running.iterable({ from: 'stdout' }), say),
    eachLine(running.iterable({ from: 'stderr' }), (line) => {
      tail.push(say(line));
      if (tail.length > tailLines) tail.shift();
    }),
  ]).finally(() => ended.abort());
  signal.throwIfAborted();
  if (result.failed) throw failureOf(result, tail);
}

function start({ command, folder, variables }: Command) {
  const [program = '', ...args] = [command].flat();
  return execa(program, args, {
    shell: typeof command === 'string',
    cwd: folder,
    env: variables,
    extendEnv: false,
    stdin: 'ignore',
    buffer: false,
    reject: false,
    // A process group of its own, so that all that the command started ends with it.
    detached: true,
  });
}

/** Asks the whole group to end, and kills what is left of it after a while. */
async function killGroup(pid: number | undefined, ended: AbortSignal): Promise<void> {
  if (pid === undefined) return;
  signalGroup(pid, 'SIGTERM');
  const late = await sleep(graceMilliseconds, true, { signal: ended }).catch(() => false);
  if (late) signalGroup(pid, 'SIGKILL');
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // The group has ended in the meantime.
  }
}

/** Of a progress bar, which writes over itself, the last state counts. */
const lastState = (line: string): string => line.split('\r').at(-1) ?? '';

async function eachLine(lines: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> {
  try {
    for await (const line of lines) onLine(`${line}`);
  } catch {
    // Execa ends the lines with the command's own failure, which its result tells of.
  }
}

function failureOf(
  result: Pick<Result, 'exitCode' | 'signal' | 'code' | 'command'>,
  tail: readonly string[],
): UserError {
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
