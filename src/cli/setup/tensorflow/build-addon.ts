import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

interface AddonBuild {
  /** Of the installation: its node_modules and the unpacked wheels stand in it. */
  readonly folder: string;
  readonly compiler: string;
  readonly signal: AbortSignal;
}

/** Where the wheels are unpacked, in the installation's folder. */
export const WHEELS = 'wheels';

/** The version of Node-API that the package looks for first. */
const NODE_API = 8;

const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

/**
 * Compiles the package's addon against the libraries of TensorFlow's wheel, as its binding.gyp would against those of its
 * own storage. Node-API is the same for all versions of Node, so one addon does for all.
 */
export async function buildAddon({ folder, compiler, signal }: AddonBuild): Promise<void> {
  const packageFolder = join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  const addonFolder = join('lib', `napi-v${NODE_API}`);
  await mkdir(join(packageFolder, addonFolder), { recursive: true });
  const tensorflow = join(folder, WHEELS, 'tensorflow');
  const headers = join(folder, 'node_modules', 'node-api-headers', 'include');
  // Relative to the addon, so that the installation may be moved.
  const fromAddon = `$ORIGIN/../../../../../${WHEELS}/tensorflow`;
  const flags = [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', `-DNAPI_VERSION=${NODE_API}`],
    ...['-I.', '-I..', `-I${headers}`, `-I${join(tensorflow, 'include')}`],
  ];
  await execa(
    compiler,
    [
      ...flags,
      join('binding', 'tfjs_backend.cc'),
      join('binding', 'tfjs_binding.cc'),
      ...['-o', join(addonFolder, 'tfjs_binding.node')],
      ...[`-L${tensorflow}`, `-Wl,-rpath,${fromAddon}`],
      ...libraries.map((name) => `-l:${name}`),
    ],
    { cwd: packageFolder, cancelSignal: signal },
  );
}
