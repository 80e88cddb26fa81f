import * as tf from '@tensorflow/tfjs-core';
import type { DeviceBackendName } from './device/device-provider.ts';
import type { DeviceOptions } from './device/open-device-runtime.ts';
import { inPlaceKernels } from './kernels/cached-attention.ts';
import { expertKernels } from './kernels/experts.ts';
import { fusedKernels } from './kernels/fused.ts';
import { deviceKernels } from './kernels/in-place-adam-w.ts';
import type { Kernel, KernelCall } from './kernels/kernel.ts';
import { kernelTable } from './kernels/kernel-table.ts';
import { quantizedKernels } from './kernels/quantized.ts';
import { OnnxBackend } from './onnx-backend.ts';
import type { GraphRunner } from './session/graph-runner.ts';
import { type OnnxRunnerName, openRunner } from './session/open-runner.ts';

/** The names under which tfjs knows it: on the CPU, or on a GPU. */
type OnnxBackendName = 'onnx' | DeviceBackendName;

interface OnnxBackendOptions extends DeviceOptions {
  readonly backend?: OnnxBackendName;
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
  const { backend: name = 'onnx', mostPendingNodes = MOST_PENDING_NODES } = options;
  const before = tf.findBackend(name);
  const runner = name === 'onnx' ? await openRunner(options) : await deviceRunner(name, { before, options });
  if (before instanceof OnnxBackend) {
    if (isSameRunner(before.runner, runner) && before.mostPendingNodes === mostPendingNodes) {
      await tf.setBackend(name);
      return before;
    }
    tf.removeBackend(name);
  }
  const backend = new OnnxBackend({ runner, mostPendingNodes });
  tf.registerBackend(name, () => backend);
  const optional = {
    ...{ ...fusedKernels, ...quantizedKernels, ...expertKernels },
    ...{ ...inPlaceKernels, ...deviceKernels },
  };
  const wanted = new Set(Object.keys(optional).filter((kernelName) => isWanted(kernelName, runner)));
  for (const [kernelName, kernel] of Object.entries({ ...kernelTable, ...optional })) {
    const isRegistered = tf.getKernel(kernelName, name) !== undefined;
    const isMissing = !isRegistered && (wanted.has(kernelName) || !(kernelName in optional));
    if (isMissing) registerKernel({ backendName: name, kernelName, kernel });
    if (isRegistered && kernelName in optional && !wanted.has(kernelName))
      tf.unregisterKernel(kernelName, name);
  }
  await tf.setBackend(name);
  return backend;
}

/** The device is opened once: what is on it belongs to one runner. */
async function deviceRunner(
  name: DeviceBackendName,
  { before, options }: { readonly before: unknown; readonly options: DeviceOptions },
): Promise<GraphRunner> {
  if (before instanceof OnnxBackend) return before.runner;
  const { openDeviceRuntime } = await import('./device/open-device-runtime.ts');
  return openDeviceRuntime(name, options);
}

/** The operators of the kernels that have a formula instead. */
const operatorOf: Readonly<Record<string, string>> = {
  RmsNorm: 'SimplifiedLayerNormalization',
  QuantizedMatMul: 'MatMulNBits',
  DequantizedMatrix: 'MatMulNBits',
  QuantizedRows: 'MatMulNBits',
};

/** Whether the runner can do what a kernel of the optional ones needs. */
function isWanted(kernelName: string, { isNative, device, lacks }: GraphRunner): boolean {
  if (kernelName in inPlaceKernels)
    return isNative || (device !== undefined && !lacks?.has('GroupQueryAttention'));
  if (kernelName in deviceKernels) return device !== undefined;
  // A device's memory is bound by shapes that are known before a run.
  if (kernelName in expertKernels) return device === undefined;
  const operator = operatorOf[kernelName];
  return operator === undefined || lacks?.has(operator) !== true;
}

const isSameRunner = (a: GraphRunner, b: GraphRunner): boolean =>
  a.threads === b.threads && a.isNative === b.isNative;

function registerKernel({
  backendName,
  kernelName,
  kernel,
}: {
  readonly backendName: OnnxBackendName;
  readonly kernelName: string;
  readonly kernel: Kernel;
}): void {
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const graph = (backend as OnnxBackend).recorderOfNextKernel(); // registered for this backend only
      return kernel({ inputs: inputs as KernelCall['inputs'], attributes: attrs, graph });
    },
  });
}
