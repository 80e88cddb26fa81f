import { UserError } from '../../core/index.ts';
import {
  findAdapter,
  hasNvidiaGpu,
  installedCuda,
  openTensorBackend,
  webgpuObstacle,
} from '../../tensor/index.ts';
import { formatBytes } from '../terminal/format-number.ts';
import { deviceSpeed, saySpeed } from './device-speed.ts';
import type { Finding } from './machine.ts';
import { multipliesCorrectly } from './multiplies-correctly.ts';

/** The GPU that WebGPU computes on. Its speed is measured on hardware only: software takes minutes for it. */
export async function webgpuFinding(): Promise<Finding> {
  const subject = 'backend webgpu';
  const adapter = await findAdapter();
  if (adapter === undefined) {
    const { found = 'no GPU found', help } = (await webgpuObstacle()) ?? {};
    return { subject, state: 'absent', found, help: `optional: trains on any GPU; ${help}` };
  }
  if (adapter.isSoftware) {
    const help = 'used only where `--backend webgpu` asks for it; onnx is faster on a processor';
    return { subject, state: 'absent', found: `${adapter.name}: computes on the processor`, help };
  }
  try {
    const { engine } = await openTensorBackend({ backend: 'webgpu' });
    if (!(await multipliesCorrectly()))
      return { subject, state: 'bad', found: `${engine}; its results are wrong` };
    const { memory, largestBuffer } = adapter;
    const speed = await deviceSpeed();
    const figures = {
      ...speed,
      ...(memory !== undefined && { memory_bytes: memory }),
      ...(largestBuffer !== undefined && { largest_buffer_bytes: largestBuffer }),
    };
    const room = memory === undefined ? '' : `${formatBytes(memory)}, `;
    return { subject, state: 'good', found: `${engine}; ${room}${saySpeed(speed)}`, figures };
  } catch (error) {
    return failed(subject, error);
  }
}

function failed(subject: string, error: unknown): Finding {
  const [found = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  const help = error instanceof UserError ? error.help : undefined;
  return { subject, state: 'bad', found, ...(help !== undefined && { help }) };
}

const cudaAdvice = 'optional: faster than webgpu on an NVIDIA GPU; `tuneloom setup cuda` installs it';

/** ONNX Runtime on CUDA, if `tuneloom setup cuda` installed it. */
export async function cudaFinding(): Promise<Finding> {
  const subject = 'backend cuda';
  if (installedCuda() === undefined) {
    const found = hasNvidiaGpu() ? 'not installed, and there is an NVIDIA GPU' : 'not installed';
    return { subject, state: 'absent', found, help: cudaAdvice };
  }
  try {
    const { engine } = await openTensorBackend({ backend: 'cuda' });
    if (!(await multipliesCorrectly()))
      return { subject, state: 'bad', found: `${engine}; its results are wrong` };
    const figures = await deviceSpeed();
    return { subject, state: 'good', found: `${engine}; ${saySpeed(figures)}`, figures: { ...figures } };
  } catch (error) {
    return failed(subject, error);
  }
}
