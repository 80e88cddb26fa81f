import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { registerGradients } from './gradients/register-gradients.ts';
import { instructionSet } from './instruction-set.ts';
import type { TensorBackendInfo, TensorBackendOptions } from './tensor-backend.ts';

/** Loads a backend, makes it the one that tfjs-core uses from now on, and says what it is. */
export async function openTensorBackend(options: TensorBackendOptions): Promise<TensorBackendInfo> {
  tf.env().set('PROD', true); // no advertisement on the console
  const info = await open(options);
  registerGradients(); // after the backend, whose package may bring others
  return info;
}

function open(options: TensorBackendOptions): Promise<TensorBackendInfo> {
  const { backend } = options;
  switch (backend) {
    case 'cpu':
      return openCpu();
    case 'onnx':
      return openOnnx(options);
    case 'tensorflow':
      return openTensorflow(options);
    default:
      throw new Error(
        `There is no tensor backend \`${backend satisfies never}\`: use onnx, tensorflow or cpu.`,
      );
  }
}

async function openCpu(): Promise<TensorBackendInfo> {
  const { version_cpu } = await import('@tensorflow/tfjs-backend-cpu').catch((cause) => {
    throw new Error('The cpu backend is a package of its own: npm install @tensorflow/tfjs-backend-cpu', {
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

async function openOnnx({ onNote, ...options }: TensorBackendOptions): Promise<TensorBackendInfo> {
  const { openOnnxBackend } = await import('./onnx/open-onnx-backend.ts');
  const { engine, threads, note } = (await openOnnxBackend(options)).runner;
  if (note !== undefined) onNote?.(note);
  return { backend: 'onnx', engine, instructionSet: instructionSet(), threads };
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
