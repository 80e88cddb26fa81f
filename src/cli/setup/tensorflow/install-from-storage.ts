import { join } from 'node:path';
import { execa } from 'execa';
import type { TensorflowFlavour } from '../../../tensor/index.ts';

const STORAGE =
  'https://storage.googleapis.com/tf-builds/pre-built-binary/napi-v8/4.22.0/CPU-linux-4.22.0.tar.gz';

/** Whether the storage that the package's own install script takes its libraries from answers. */
export async function isStorageReachable(): Promise<boolean> {
  try {
    return (await fetch(STORAGE, { method: 'HEAD', signal: AbortSignal.timeout(10_000) })).ok;
  } catch {
    return false;
  }
}

interface StorageInstallation {
  readonly folder: string;
  readonly flavour: TensorflowFlavour;
  readonly signal: AbortSignal;
}

/** What the package's install script does, which npm was told not to run. */
export async function installFromStorage({ folder, flavour, signal }: StorageInstallation): Promise<void> {
  const cwd = join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  const kind = flavour === 'cuda' ? 'gpu' : 'cpu';
  await execa(process.execPath, [join('scripts', 'install.js'), kind, 'download'], {
    cwd,
    cancelSignal: signal,
  });
}
