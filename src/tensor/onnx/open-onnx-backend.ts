import * as tf from '@tensorflow/tfjs-core';
import { inPlaceKernels } from './kernels/cached-attention.ts';
import { fusedKernels } from './kernels/fused.ts';
import type { Kernel, KernelCall } from './kernels/kernel.ts';
import { kernelTable } from './kernels/kernel-table.ts';
import { OnnxBackend } from './onnx-backend.ts';
import type { GraphRunner } from './session/graph-runner.ts';
import { type OnnxRunnerName, openRunner } from './session/open-runner.ts';

const ONNX_BACKEND = 'onnx';

interface OnnxBackendOptions {
  /** Threads that one operator may use; by default one for each processor of this process. */
  readonly threads?: number | undefined;
  /** How ONNX Runtime is called; by default the fastest way that loads. */
  readonly runner?: OnnxRunnerName | undefined;
  /** A chain of kernels longer than this runs even without a read, so that its memory stays bounded. */
  readonly mostPendingNodes?: number;
}

/** More than a whole training step of a deep model. */
const MOST_PENDING_NODES = 50_000;

/**
 * Registers the backend with its kernels and makes it the active one. Opening it again with equal options returns the
 * same backend; with other options the previous one is closed, and its tensors with it.
 */
export async function openOnnxBackend(options: OnnxBackendOptions): Promise<OnnxBackend> {
  const { mostPendingNodes = MOST_PENDING_NODES } = options;
  const runner = await openRunner(options);
  const before = tf.findBackend(ONNX_BACKEND);
  if (before instanceof OnnxBackend) {
    if (isSameRunner(before.runner, runner) && before.mostPendingNodes === mostPendingNodes) {
      await tf.setBackend(ONNX_BACKEND);
      return before;
    }
    tf.removeBackend(ONNX_BACKEND);
  }
  const backend = new OnnxBackend({ runner, mostPendingNodes });
  tf.registerBackend(ONNX_BACKEND, () => backend);
  const kernels = { ...kernelTable, ...fusedKernels };
  for (const [kernelName, kernel] of Object.entries(kernels))
    if (tf.getKernel(kernelName, ONNX_BACKEND) === undefined) registerKernel(kernelName, kernel);
  setInPlaceKernels(runner.isNative);
  await tf.setBackend(ONNX_BACKEND);
  return backend;
}

function setInPlaceKernels(wanted: boolean): void {
  for (const [kernelName, kernel] of Object.entries(inPlaceKernels)) {
    const isRegistered = tf.getKernel(kernelName, ONNX_BACKEND) !== undefined;
    if (wanted && !isRegistered) registerKernel(kernelName, kernel);
    if (!wanted && isRegistered) tf.unregisterKernel(kernelName, ONNX_BACKEND);
  }
}

const isSameRunner = (a: GraphRunner, b: GraphRunner): boolean =>
  a.threads === b.threads && a.isNative === b.isNative;

function registerKernel(kernelName: string, kernel: Kernel): void {
  tf.registerKernel({
    kernelName,
    backendName: ONNX_BACKEND,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const graph = (backend as OnnxBackend).recorderOfNextKernel(); // registered for this backend only
      return kernel({ inputs: inputs as KernelCall['inputs'], attributes: attrs, graph });
    },
  });
}
