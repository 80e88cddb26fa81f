import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const TENSORFLOW_PACKAGE = '@tensorflow/tfjs-node-gpu';

/** Written last, this file marks a complete installation. */
export const INSTALLED_FILE = 'installed.json';

/** The folder from which the engine's package resolves: that of `tuneloom setup tensorflow`, or this package's own. */
export function installedTensorflow(): string | undefined {
  for (const flavor of TENSORFLOW_FLAVORS) {
    const folder = join(tensorflowFolder(), flavor);
    if (existsSync(join(folder, INSTALLED_FILE))) return folder;
  }
  try {
    createRequire(import.meta.url).resolve(TENSORFLOW_PACKAGE);
    return dirname(fileURLToPath(import.meta.url));
  } catch {
    return undefined;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** One for each kind of processor; the first one installed is used. */
const TENSORFLOW_FLAVORS = ['cuda', 'cpu'] as const;

export type TensorflowFlavor = (typeof TENSORFLOW_FLAVORS)[number];

/** Outside node_modules, where a clean install would remove its gigabyte. `TUNELOOM_TENSORFLOW` names another folder. */
export function tensorflowFolder(
  { TUNELOOM_TENSORFLOW, XDG_CACHE_HOME, HOME }: Environment = process.env,
): string {
  if (TUNELOOM_TENSORFLOW) return TUNELOOM_TENSORFLOW;
  return join(XDG_CACHE_HOME || join(HOME || homedir(), '.cache'), 'tuneloom', 'tensorflow');
}

export interface NvidiaGpu {
  /** `Tesla T4` */
  readonly name: string;
  /** Bytes. */
  readonly memory: number;
  /** Version of the driver. */
  readonly driver: string;
}

const waitMilliseconds = 10_000;

/** The NVIDIA GPUs that nvidia-smi lists; none if it is missing or fails. It may take a second to wake the driver. */
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

/** The least compute capability of the NVIDIA GPUs, such as 8.6; undefined where the driver does not say. */
export function cudaCapability(): number | undefined {
  const query = ['--query-gpu=compute_cap', '--format=csv,noheader'];
  const { status, stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: waitMilliseconds });
  const found = status === 0 ? stdout.split('\n').filter(Boolean).map(Number) : [];
  return found.length === 0 ? undefined : Math.min(...found);
}

/** Files that show a loaded driver; the library is that of the Windows Subsystem for Linux. */
const traces = ['/proc/driver/nvidia/version', '/usr/lib/wsl/lib/libcuda.so.1'];

/** Whether there is an NVIDIA GPU: its driver is loaded, or nvidia-smi lists it. */
export const hasNvidiaGpu = (): boolean => traces.some((path) => existsSync(path)) || nvidiaGpus().length > 0;
