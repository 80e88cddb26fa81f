import { createRequire } from 'node:module';
import { matMul, type Tensor2D, tensor2d } from '@tensorflow/tfjs-core';
import { openTensorBackend, type TensorBackendName } from '../../tensor/index.ts';
import type { Finding } from './finding.ts';
import { measureSpeed } from './measure-speed.ts';

const packageOf = { onnx: 'onnxruntime-node', cpu: '@tensorflow/tfjs-backend-cpu' } as const;

/** Each tensor backend: whether it loads, and whether it multiplies two matrices rightly. */
export async function lookAtBackends(): Promise<readonly Finding[]> {
  // One after the other: a process has one backend at a time.
  const onnx = await lookAtBackend('onnx');
  const speed = onnx.state === 'good' ? [await measureSpeed()] : [];
  return [onnx, await lookAtBackend('cpu'), lookAtTensorflow(), ...speed, repeatability];
}

const repeatability: Finding = {
  subject: 'repeatable',
  state: 'good',
  found:
    'on onnx and cpu equal inputs give equal bits each time, with the same processor, engine and threads',
};

async function lookAtBackend(backend: TensorBackendName): Promise<Finding> {
  const subject = `backend ${backend}`;
  try {
    const notes: string[] = [];
    const onNote = (note: string) => notes.push(note);
    const { engine, instructionSet, threads } = await openTensorBackend({ backend, onNote });
    const right = await multipliesRightly();
    const found = `${engine}, ${instructionSet}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
    return right
      ? { subject, state: 'good', found, ...(notes.length > 0 && { help: notes.join('\n') }) }
      : { subject, state: 'bad', found: `${found}; it computes wrongly` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!isInstalled(packageOf[backend])) {
      return { subject, state: 'absent', found: 'not installed', help: `npm install ${packageOf[backend]}` };
    }
    return { subject, state: 'bad', found: reason.split('\n')[0] ?? reason };
  }
}

/** (1 2; 3 4) times itself is (7 10; 15 22). */
async function multipliesRightly(): Promise<boolean> {
  const factor: Tensor2D = tensor2d([1, 2, 3, 4], [2, 2]);
  const product = matMul(factor, factor);
  const values = await product.data();
  factor.dispose();
  product.dispose();
  return values.join() === '7,10,15,22';
}

function lookAtTensorflow(): Finding {
  const name = '@tensorflow/tfjs-node-gpu';
  const help = 'only for NVIDIA GPUs, and not yet used by this version: training runs on the processors';
  return {
    subject: 'backend tensorflow',
    state: 'absent',
    found: isInstalled(name) ? 'installed' : 'not installed',
    help,
  };
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
