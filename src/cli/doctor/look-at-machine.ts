import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from 'node:os';
import { versions } from 'node:process';
import { formatBytes } from '../terminal/format-number.ts';
import type { Finding } from './finding.ts';

const OLDEST_NODE = [20, 19] as const;

/** Node.js, the system, its processors and its memory. */
export function lookAtMachine(): readonly Finding[] {
  const model = cpus()[0]?.model.trim() ?? 'unknown model';
  const [usable, total, free] = [availableParallelism(), totalmem(), freemem()];
  return [
    nodeFinding(versions.node),
    { subject: 'system', state: 'good', found: `${platform()} ${release()} on ${arch()}` },
    { subject: 'processors', state: 'good', found: `${usable} usable (${model})`, figures: { usable } },
    {
      subject: 'memory',
      state: 'good',
      found: `${formatBytes(total)}, ${formatBytes(free)} free`,
      figures: { total_bytes: total, free_bytes: free },
    },
  ];
}

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const recent = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return recent
    ? { subject: 'node', state: 'good', found: version }
    : {
        subject: 'node',
        state: 'bad',
        found: version,
        help: `tuneloom needs ${OLDEST_NODE.join('.')} or later`,
      };
}
