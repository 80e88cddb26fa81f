import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface LibraryFile {
  readonly path: string;
  readonly version: string;
  /** The package's own. */
  readonly folder: string;
}

const PACKAGE = 'onnxruntime-node';
const LIBRARY = /^(lib)?onnxruntime(\.[\d.]+)?\.(so|dylib|dll)(\.\d+)?$/;

/** The library that onnxruntime-node comes with for this machine, and the version of that package. */
export function locateLibrary(): LibraryFile {
  const root = packageRoot(createRequire(import.meta.url).resolve(PACKAGE));
  const folder = join(root, 'bin', 'napi-v6', process.platform, process.arch);
  const name = existsSync(folder) ? readdirSync(folder).find((file) => LIBRARY.test(file)) : undefined;
  if (name === undefined)
    throw new Error(`${PACKAGE} has no library for ${process.platform} on ${process.arch}`);
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return { path: join(folder, name), version, folder: root };
}

function packageRoot(path: string): string {
  return existsSync(join(path, 'package.json')) ? path : packageRoot(dirname(path));
}
