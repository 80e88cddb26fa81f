import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ExecaError, execa } from 'execa';
import { UsageError } from '../../exit-code.ts';

/**
 * Compiles the package's addon against the libraries of TensorFlow's wheel, as its binding.gyp does against those of its
 * own storage. Node-API is stable across versions of Node, so one addon works with all of them. `folder` is that of the
 * installation, with its node_modules and the unpacked wheels.
 */
export async function buildAddon({
  folder,
  compiler,
  signal,
}: {
  readonly folder: string;
  readonly compiler: string;
  readonly signal: AbortSignal;
}): Promise<void> {
  const packageFolder = join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  const addonFolder = join('lib', `napi-v${NODE_API}`);
  await mkdir(join(packageFolder, addonFolder), { recursive: true });
  const tensorflow = join(folder, WHEELS, 'tensorflow');
  const headers = join(folder, 'node_modules', 'node-api-headers', 'include');
  // Relative to the addon, so that the installation can be moved.
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

/** The folder of the unpacked wheels, in the installation's folder. */
export const WHEELS = 'wheels';

/** The version of Node-API that the package tries first. */
const NODE_API = 8;

const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

export interface CheckedAddon {
  /** TensorFlow's own version. */
  readonly tensorflow: string;
  readonly usesGpu: boolean;
}

/** Adds two functions that Node 23 removed, then prints (1 2; 3 4) times itself on the last line of the output. */
const program = `
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;
const tf = require('@tensorflow/tfjs-node-gpu');
const matrix = tf.tensor2d([1, 2, 3, 4], [2, 2]);
const product = Array.from(tf.matMul(matrix, matrix).dataSync()).join();
const { binding, isUsingGpuDevice } = tf.backend();
console.log('\\n' + JSON.stringify({ product, tensorflow: binding.TF_Version, usesGpu: isUsingGpuDevice }));
`;

/** Loads an installation in a separate process, so that a crash is only a failure, and multiplies two matrices. */
export async function checkAddon(folder: string, signal?: AbortSignal): Promise<CheckedAddon> {
  const stdout = await outputOf(folder, signal);
  const { product, tensorflow, usesGpu } = JSON.parse(stdout.split('\n').at(-1) ?? '');
  if (product !== '7,10,15,22') throw new Error(`the addon multiplies incorrectly: it gives ${product}`);
  return { tensorflow, usesGpu };
}

async function outputOf(cwd: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    const { stdout } = await execa(process.execPath, ['--no-deprecation', '--eval', program], {
      cwd,
      timeout: 300_000,
      env: { TF_CPP_MIN_LOG_LEVEL: '2', TF_FORCE_GPU_ALLOW_GROWTH: 'true' },
      ...(signal && { cancelSignal: signal }),
    });
    return stdout;
  } catch (error) {
    if (!(error instanceof ExecaError) || signal?.aborted) throw error;
    const reason = /^\w*Error: .*$/m.exec(String(error.stderr))?.[0] ?? error.originalMessage;
    throw new UsageError({
      message: `the engine does not work: ${reason ?? 'its process ended'}`,
      help: 'set it up again, or search for the message',
    });
  }
}
