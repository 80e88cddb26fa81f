import { mkdir, statfs } from 'node:fs/promises';
import { execa } from 'execa';
import { UsageError } from '../exit-code.ts';

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
    message: `there is no library for ${platform} on ${arch}`,
    help: 'it works on Linux with a 64-bit Intel, AMD or ARM processor; the onnx backend works everywhere',
  });
}

/** Where to put an installation, and what it takes. */
export interface Room {
  readonly folder: string;
  /** In gigabytes. */
  readonly needed: number;
  /** The environment variable that names another folder. */
  readonly variable: string;
}

/** Throws if the disk is too full. */
export async function checkDisk({ folder, needed, variable }: Room): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / 1e9;
  if (free >= needed) return;
  throw new UsageError({
    message: `${folder} has ${free.toFixed(1)} GB free, and ${needed} GB are needed`,
    help: `name a folder on another disk with ${variable}`,
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

/** Receives the progress of a setup. */
export interface SetupProgress {
  /** A step ended. */
  readonly done: (step: string) => void;
  /** A long step begins. */
  readonly begin: (step: string) => void;
  readonly signal: AbortSignal;
}
