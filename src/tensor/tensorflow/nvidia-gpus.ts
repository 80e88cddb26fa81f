import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export interface NvidiaGpu {
  /** `Tesla T4` */
  readonly name: string;
  /** Bytes. */
  readonly memory: number;
  /** Version of the driver. */
  readonly driver: string;
}

const waitMilliseconds = 10_000;

/** The NVIDIA GPUs that nvidia-smi lists; none where it is missing or fails. It may take a second to wake the driver. */
export function nvidiaGpus(): readonly NvidiaGpu[] {
  const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader,nounits'];
  const { status, stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: waitMilliseconds });
  if (status !== 0) return [];
  return stdout.split('\n').flatMap((line) => {
    const [, name, mebibytes, driver] = /^(.+), (\d+), ([\d.]+)$/.exec(line.trim()) ?? [];
    if (name === undefined || driver === undefined) return [];
    return [{ name, memory: Number(mebibytes) * 2 ** 20, driver }];
  });
}

/** What a loaded driver leaves in the file system; the library is that of Windows' Linux. */
const traces = ['/proc/driver/nvidia/version', '/usr/lib/wsl/lib/libcuda.so.1'];

/** Whether there is an NVIDIA GPU: its driver is loaded, or nvidia-smi lists one. */
export const hasNvidiaGpu = (): boolean => traces.some((path) => existsSync(path)) || nvidiaGpus().length > 0;
