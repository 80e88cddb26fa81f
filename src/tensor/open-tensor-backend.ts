import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { registerGradients } from './gradients/register-gradients.ts';
import { instructionSet } from './processor.ts';

/** Loads a backend, makes it the active one of tfjs-core, and describes it. */
export async function openTensorBackend(options: TensorBackendOptions): Promise<TensorBackendInfo> {
  tf.env().set('PROD', true); // keeps tfjs from advertising on the console
  const info = await open(options);
  registerGradients(); // after the backend, whose package may register its own
  return info;
}

function open(options: TensorBackendOptions): Promise<TensorBackendInfo> {
  const { backend } = options;
  switch (backend) {
    case 'cpu':
      return openCpu();
    case 'onnx':
    case 'webgpu':
    case 'cuda':
      return openOnnx({ ...options, backend });
    case 'tensorflow':
      return openTensorflow(options);
    default:
      throw new Error(
        `There is no tensor backend \`${backend satisfies never}\`: use onnx, webgpu, cuda, tensorflow or cpu.`,
      );
  }
}

async function openCpu(): Promise<TensorBackendInfo> {
  const { version_cpu } = await import('@tensorflow/tfjs-backend-cpu').catch((cause) => {
    throw new Error('The cpu backend is a separate package: npm install @tensorflow/tfjs-backend-cpu', {
      cause,
    });
  });
  await tf.setBackend('cpu');
  return {
    backend: 'cpu',
    engine: `tfjs-backend-cpu ${version_cpu}`,
    instructionSet: instructionSet(),
    threads: 1,
  };
}

/**
 * ONNX Runtime's Linux library collects facts about the machine, stores them in the home folder and sends them to its
 * maker, unless this variable is set when the library is loaded. The main thread's `process.env` sets it for native code.
 */
const NO_TELEMETRY = 'ORT_DISABLE_TELEMETRY';

async function openOnnx({
  onNote,
  ...options
}: TensorBackendOptions & { readonly backend: 'onnx' | 'webgpu' | 'cuda' }): Promise<TensorBackendInfo> {
  process.env[NO_TELEMETRY] = '1';
  const { openOnnxBackend } = await import('./onnx/open-onnx-backend.ts');
  const { engine, threads, note } = (await openOnnxBackend(options)).runner;
  if (note !== undefined) onNote?.(note);
  const device = options.backend === 'onnx' ? {} : ({ device: 'gpu' } as const);
  return { backend: options.backend, engine, instructionSet: instructionSet(), threads, ...device };
}

async function openTensorflow({
  threads = availableParallelism(),
}: TensorBackendOptions): Promise<TensorBackendInfo> {
  const { openTensorflowBackend } = await import('./tensorflow/open-tensorflow-backend.ts');
  const { engine, packageVersion } = await openTensorflowBackend({ threads });
  return {
    backend: 'tensorflow',
    engine: `tensorflow ${engine.binding.TF_Version}, tfjs-node ${packageVersion}`,
    instructionSet: instructionSet(),
    threads,
    device: engine.isUsingGpuDevice ? 'gpu' : 'cpu',
  };
}

/** What computed the numbers; kept in a run's record, since floats may differ between any two of these. */
export interface TensorBackendInfo {
  readonly backend: TensorBackendName;
  /** Name and version of the engine, such as `onnxruntime 1.30.0`. */
  readonly engine: string;
  /** The widest vector instructions found, such as `avx512`. */
  readonly instructionSet: string;
  /** Threads that one operation may use. */
  readonly threads: number;
  /** The device, for a backend that has a choice. */
  readonly device?: 'gpu' | 'cpu';
}

export const TENSOR_BACKENDS = ['onnx', 'webgpu', 'cuda', 'tensorflow', 'cpu'] as const;

export type TensorBackendName = (typeof TENSOR_BACKENDS)[number];

export interface TensorBackendOptions {
  readonly backend: TensorBackendName;
  /** Threads that one operation may use; by default one for each processor of this process. */
  readonly threads?: number | undefined;
  /** How the onnx backend calls ONNX Runtime; by default the fastest way that loads. */
  readonly runner?: 'native' | 'binding' | undefined;
  /** Receives a sentence about what makes the backend slower than it could be. */
  readonly onNote?: ((note: string) => void) | undefined;
}
