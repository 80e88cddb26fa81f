import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';

export interface SandboxLimits {
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
export function bubblewrapCommand(limits: SandboxLimits): readonly [program: string, ...args: string[]] {
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
