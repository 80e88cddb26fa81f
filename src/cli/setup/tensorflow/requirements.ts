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

type Environment = Readonly<Record<string, string | undefined>>;

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
