import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import type { Interpreter } from './interpreter.ts';
import { writableFolders } from './usage.ts';

/** What a program may use. */
export interface SandboxLimits {
  readonly timeoutSeconds: number;
  /** For all its processes and files together. */
  readonly memoryMegabytes: number;
  readonly processes: number;
}

export type Command = readonly [program: string, ...args: string[]];

/** The descriptors of the processes in a sandbox beyond the standard ones, which bubblewrap itself reads and writes. */
export const descriptors = { verdict: 3, information: 4, filter: 5 } as const;

export const isRoot = (): boolean => process.getuid?.() === 0;

/** System folders that hold Python and its libraries. */
const systemFolders = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** A user that owns nothing: limits on processes do not hold for root. */
const nobody = 65534;

/** The processes of each sandbox that are not the program's: bubblewrap's first process, and the tests. */
const ownProcesses = 2;

/**
 * A command line for bubblewrap: no network, only its own processes, no environment, no files but the system's programs,
 * read-only, and an empty folder in memory. Inside, util-linux's prlimit sets the limits of each process.
 */
export function bubblewrapCommand(
  program: readonly string[],
  { files }: Pick<Interpreter, 'files'>,
  limits: SandboxLimits,
): Command {
  const bytes = limits.memoryMegabytes * 1024 * 1024;
  const environment = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONHASHSEED: '0',
  };
  return [
    ...asNobody(),
    'bwrap',
    ...['--unshare-all', '--die-with-parent', '--new-session', '--clearenv', '--cap-drop', 'ALL'],
    ...['--uid', `${nobody}`, '--gid', `${nobody}`, '--hostname', 'sandbox'],
    ...['--seccomp', `${descriptors.filter}`, '--info-fd', `${descriptors.information}`],
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--ro-bind', '/usr', '/usr', ...systemFolders.flatMap(bindSystemFolder)],
    ...['--proc', '/proc', '--dev', '/dev'],
    ...writableFolders.flatMap((path) => ['--size', `${bytes / 16}`, '--tmpfs', path]),
    ...files.flatMap((path) => ['--ro-bind', path, path]),
    ...['--remount-ro', '/dev', '--remount-ro', '/', '--chdir', '/tmp'],
    'prlimit',
    ...[`--as=${bytes}`, `--fsize=${bytes / 16}`, `--nproc=${limits.processes + ownProcesses}`],
    ...[`--cpu=${Math.ceil(limits.timeoutSeconds) * limits.processes}`, '--core=0', '--nofile=64', '--'],
    ...program,
  ];
}

const asNobody = (): readonly [] | readonly [string, ...string[]] =>
  isRoot() ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : [];

/** On most systems these are links into /usr, on some they are folders. */
function bindSystemFolder(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  if (lstatSync(path).isSymbolicLink()) return ['--symlink', readlinkSync(path), path];
  return ['--ro-bind', path, path];
}
