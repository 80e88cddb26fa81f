import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { dirname, join } from 'node:path';
import { availableMemory } from 'node:process';

/** The bytes that this process may take: `resources.memory`, else what the system and its limits leave. */
export const memoryLimit = (declared: number | undefined): number => declared ?? memoryLeft();

/**
 * What the system has left, or less where a control group of this process, such as that of a container or a cluster's
 * job, limits it. Node's own `availableMemory` takes cached files for used memory, so that after a model has been written
 * in a container nothing seems to be left, and does not look at the groups above. `root` is `/` except in tests.
 */
export function memoryLeft(root = '/'): number {
  if (process.platform !== 'linux') return availableMemory();
  const groups = controlGroups(root).flatMap((folder) => leftInGroup(folder) ?? []);
  return Math.max(0, Math.min(freemem(), ...groups)); // freemem is what Linux calls available
}

interface Group {
  readonly path: string;
  readonly version: 1 | 2;
}

/** The groups of this process and those above them. Both versions of control groups may be mounted. */
function controlGroups(root: string): readonly Group[] {
  const lines = (textOf(join(root, 'proc/self/cgroup')) ?? '').split('\n');
  return lines.flatMap((line) => {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const mount = join(root, 'sys/fs/cgroup');
    if (controllers.split(',').includes('memory'))
      return withParents(path).map((path): Group => ({ path: join(mount, 'memory', path), version: 1 }));
    if (line === '' || controllers !== '') return [];
    return withParents(path).map((path): Group => ({ path: join(mount, path), version: 2 }));
  });
}

const withParents = (path: string): readonly string[] =>
  path === '/' || path === '.' ? [path] : [path, ...withParents(dirname(path))];

const names = {
  1: {
    limits: ['memory.limit_in_bytes'],
    used: 'memory.usage_in_bytes',
    files: ['total_inactive_file', 'total_active_file'],
  },
  2: {
    limits: ['memory.max', 'memory.high'],
    used: 'memory.current',
    files: ['inactive_file', 'active_file'],
  },
} as const;

/** The bytes that a group's limit leaves; undefined without a limit. The system drops cached files when it needs their memory. */
function leftInGroup({ path, version }: Group): number | undefined {
  const { limits, used, files } = names[version];
  const limit = Math.min(...limits.map((name) => numberIn(textOf(join(path, name)))));
  const usage = numberIn(textOf(join(path, used)));
  if (!Number.isFinite(limit) || !Number.isFinite(usage)) return undefined;
  const statistics = new Map(
    (textOf(join(path, 'memory.stat')) ?? '').split('\n').map((line) => {
      const [name = '', value] = line.split(' ');
      return [name, Number(value)] as const;
    }),
  );
  const cached = files.reduce((sum, name) => sum + (statistics.get(name) ?? 0), 0);
  return limit - Math.max(0, usage - cached);
}

/** Infinity for `max` and for a file that is not there. */
const numberIn = (text: string | undefined): number =>
  text !== undefined && /^\d+\s*$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // not this version, not visible in a container, or not permitted
  }
}
