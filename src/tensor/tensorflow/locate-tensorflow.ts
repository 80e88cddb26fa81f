import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TENSORFLOW_FLAVOURS, tensorflowFolder } from './tensorflow-folder.ts';

export const TENSORFLOW_PACKAGE = '@tensorflow/tfjs-node-gpu';

/** The file that a complete installation has, written last. */
export const INSTALLED_FILE = 'installed.json';

/** The folder that the engine's package can be asked for from: an own installation, or this package's own folder. */
export function installedTensorflow(): string | undefined {
  for (const flavour of TENSORFLOW_FLAVOURS) {
    const folder = join(tensorflowFolder(), flavour);
    if (existsSync(join(folder, INSTALLED_FILE))) return folder;
  }
  try {
    createRequire(import.meta.url).resolve(TENSORFLOW_PACKAGE);
    return dirname(fileURLToPath(import.meta.url));
  } catch {
    return undefined;
  }
}
