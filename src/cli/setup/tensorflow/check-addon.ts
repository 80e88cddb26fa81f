import { ExecaError, execa } from 'execa';
import { UsageError } from '../../usage-error.ts';

export interface CheckedAddon {
  /** TensorFlow's own version. */
  readonly tensorflow: string;
  readonly usesGpu: boolean;
}

/** The two functions that Node 23 and later lack, then (1 2; 3 4) times itself, as the last line of the output. */
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

/** Loads an installation in a process of its own, so that one that crashes is only one that failed, and multiplies. */
export async function checkAddon(folder: string, signal?: AbortSignal): Promise<CheckedAddon> {
  const stdout = await outputOf(folder, signal);
  const { product, tensorflow, usesGpu } = JSON.parse(stdout.split('\n').at(-1) ?? '');
  if (product !== '7,10,15,22') throw new Error(`the addon multiplies wrongly: it gives ${product}`);
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
      help: 'set it up again, or look for what the message names',
    });
  }
}
