import { existsSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { versions } from 'node:process';
import { UserError } from '../../core/index.ts';
import { openSandbox } from '../../stages/index.ts';
import { hasNvidiaGpu, type NvidiaGpu, nvidiaGpus } from '../../tensor/index.ts';
import { formatBytes } from '../terminal/format-number.ts';

/** Node.js, the system, its processors and its memory. */
export function machineFindings(): readonly Finding[] {
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

/** One thing that the doctor examined. */
export interface Finding {
  /** `node`, `memory`, `backend onnx`. */
  readonly subject: string;
  readonly state: 'good' | 'absent' | 'bad';
  /** A few words. */
  readonly found: string;
  /** What to do if something is absent or bad. */
  readonly help?: string;
  /** Counts and measurements for other programs; each name ends in its unit. */
  readonly figures?: Readonly<Record<string, number>>;
}

const OLDEST_NODE = [20, 19] as const;

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

/** The GPUs that the tensorflow backend could use. */
export function gpuFinding(): Finding {
  const subject = 'gpu';
  const gpus = nvidiaGpus();
  if (gpus.length > 0) return { subject, state: 'good', found: gpus.map(describeGpu).join('; ') };
  if (!hasNvidiaGpu()) return { subject, state: 'absent', found: 'no NVIDIA GPU' };
  return {
    subject,
    state: 'bad',
    found: "NVIDIA's driver is loaded, but nvidia-smi lists no GPU",
    help: 'run nvidia-smi: it says what is wrong; often the driver was updated and needs a restart',
  };
}

/** `Tesla T4, 16.1 GB, driver 535.104.05` */
export const describeGpu = ({ name, memory, driver }: NvidiaGpu): string =>
  `${name}, ${formatBytes(memory)}, driver ${driver}`;

/** Whether `execute` can run programs that a model wrote. */
export async function sandboxFinding(): Promise<Finding> {
  const subject = 'sandbox';
  try {
    const limits = { python: 'python3', timeoutSeconds: 3, memoryMegabytes: 256, processes: 4 };
    const { pythonVersion } = await openSandbox(limits);
    return { subject, state: 'good', found: `bubblewrap, Python ${pythonVersion}` };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message: found, help } = error;
    return { subject, state: 'absent', found, ...(help === undefined ? {} : { help }) };
  }
}

const LITTLE_DISK = 2e9;

/** The folder for results, whether it is writable, and its free space. */
export async function storeFinding(root: string): Promise<Finding> {
  const subject = 'store';
  const folder = nearestFolder(root);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const found = `${root}${folder === root ? '' : ' (created by the first run)'}, ${formatBytes(free)} free`;
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable)
    return { subject, state: 'bad', found, help: 'it is not writable: name another folder with --store' };
  if (free < LITTLE_DISK) return { subject, state: 'bad', found, help: 'free some disk space' };
  return { subject, state: 'good', found };
}

function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}
