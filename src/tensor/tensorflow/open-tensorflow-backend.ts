import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { HalfPrecision } from '../ops/product-precision.ts';
import { fusedKernels, type TensorflowKernelCall, takesCall } from './fused-kernels.ts';
import { halfPrecisionsOf } from './half-products.ts';
import { installedTensorflow, TENSORFLOW_PACKAGE } from './locate-tensorflow.ts';
import type { TensorflowEngine } from './tensorflow-engine.ts';

const TENSORFLOW_BACKEND = 'tensorflow';

let packageVersion: string | undefined;
let precisions: readonly HalfPrecision[] | undefined;

/**
 * Loads tfjs-node, whose copy of tfjs-core shares its engine with this one, and makes its backend the active one; the
 * version is that of tfjs-node. Threads are those of the first call: TensorFlow reads them once.
 */
export async function openTensorflowBackend({
  threads,
}: {
  readonly threads: number;
}): Promise<{ readonly engine: TensorflowEngine; readonly packageVersion: string }> {
  packageVersion ??= load(threads);
  await tf.setBackend(TENSORFLOW_BACKEND);
  const engine = tf.backend() as unknown as TensorflowEngine; // only tfjs-node registers a backend of this name
  Object.defineProperty(engine, 'halfPrecisions', { get: () => precisionsOf(engine), configurable: true });
  return { engine, packageVersion };
}

/** Found out when it is asked for, since on a GPU that calls another program. */
function precisionsOf(engine: TensorflowEngine): readonly HalfPrecision[] {
  precisions ??= halfPrecisionsOf(engine);
  return precisions;
}

/** Returns the package's version. */
function load(threads: number): string {
  const folder = installedTensorflow();
  if (folder === undefined)
    throw new Error(`${TENSORFLOW_PACKAGE} is not installed: tuneloom setup tensorflow`);
  prepareProcess(threads);
  try {
    const { version } = createRequire(join(folder, 'package.json'))(TENSORFLOW_PACKAGE);
    addKernels();
    return version['tfjs-node'];
  } catch (cause) {
    const [reason = ''] = String(cause instanceof Error ? cause.message : cause).split('\n');
    throw new Error(`${TENSORFLOW_PACKAGE} does not load: ${reason}`, { cause });
  }
}

function prepareProcess(threads: number): void {
  const wanted = {
    TF_CPP_MIN_LOG_LEVEL: '2', // warnings about its own build
    TF_FORCE_GPU_ALLOW_GROWTH: 'true', // otherwise it takes all of a GPU's memory at start
    TF_DETERMINISTIC_OPS: '1',
    TF_NUM_INTRAOP_THREADS: String(threads),
  };
  for (const [name, value] of Object.entries(wanted)) process.env[name] ??= value;
  // tfjs-node 4.22 calls two functions that Node 23 removed.
  const removed = {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  };
  for (const [name, value] of Object.entries(removed))
    if (!(name in util)) Object.assign(util, { [name]: value });
}

function addKernels(): void {
  for (const [kernelName, kernel] of Object.entries(fusedKernels)) {
    const own = tf.getKernel(kernelName, TENSORFLOW_BACKEND);
    if (own !== undefined) tf.unregisterKernel(kernelName, TENSORFLOW_BACKEND);
    tf.registerKernel({
      kernelName,
      backendName: TENSORFLOW_BACKEND,
      kernelFunc: (call) => {
        const ours = {
          inputs: call.inputs,
          attributes: call.attrs ?? {},
          engine: call.backend,
        } as unknown as TensorflowKernelCall; // of this backend, with tensors as inputs
        return own !== undefined && !takesCall(kernelName, ours) ? own.kernelFunc(call) : kernel(ours);
      },
    });
  }
}
