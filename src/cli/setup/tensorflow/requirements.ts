import { mkdir, statfs } from 'node:fs/promises';
import { execa } from 'execa';
import type { TensorflowFlavor } from '../../../tensor/index.ts';
import { UsageError } from '../../exit-code.ts';

/** The versions that the setup was tested with and installs. */
export const versions = {
  tfjsNode: '4.22.0',
  tensorflow: '2.21.0',
  nodeApiHeaders: '1.9.0',
} as const;

/** Disk space for downloads and unpacked files together, measured with these versions. */
export const neededGigabytes = { cpu: 2.5, cuda: 12 } as const satisfies Record<TensorflowFlavor, number>;

/** The processor's name in wheels. Throws if there is no wheel for the machine. */
export function wheelArchitecture({
  platform,
  arch,
}: {
  readonly platform: string;
  readonly arch: string;
} = process): string {
  const architecture = { x64: 'x86_64', arm64: 'aarch64' }[arch];
  if (platform === 'linux' && architecture !== undefined) return architecture;
  throw new UsageError({
    message: `there is no library to build with for ${platform} on ${arch}`,
    help: 'it works on Linux with a 64-bit Intel, AMD or ARM processor; the onnx backend works everywhere',
  });
}

/** Throws if the disk is too full. */
export async function checkDisk(folder: string, needed: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / 1e9;
  if (free >= needed) return;
  throw new UsageError({
    message: `${folder} has ${free.toFixed(1)} GB free, and ${needed} GB are needed`,
    help: 'name a folder on another disk with TUNELOOM_TENSORFLOW',
  });
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The name of a Python that has pip: PYTHON, or python3. */
export async function findPip({ PYTHON }: Environment): Promise<string> {
  const name = PYTHON || 'python3';
  const { failed } = await execa(name, ['-m', 'pip', '--version'], { reject: false });
  if (!failed) return name;
  throw new UsageError({
    message: `\`${name} -m pip\` does not work; it downloads the engine's libraries`,
    help: 'install it (Debian and Ubuntu: sudo apt install python3-pip; Fedora: sudo dnf install python3-pip) or name another Python with PYTHON',
  });
}

/** The name of the C++ compiler: CXX, or g++. */
export async function findCompiler({ CXX }: Environment): Promise<string> {
  const name = CXX || 'g++';
  const { failed } = await execa(name, ['--version'], { reject: false });
  if (!failed) return name;
  throw new UsageError({
    message: `the compiler \`${name}\` is missing; it builds the engine's addon`,
    help: 'install it (Debian and Ubuntu: sudo apt install g++; Fedora: sudo dnf install gcc-c++) or name another with CXX',
  });
}

/** Receives the progress of a setup. */
export interface SetupProgress {
  /** A step ended. */
  readonly done: (step: string) => void;
  /** A long step begins. */
  readonly begin: (step: string) => void;
  readonly signal: AbortSignal;
}
