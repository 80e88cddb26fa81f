import { add, fill, matMul, sum, type Tensor, type Tensor2D, tidy } from '@tensorflow/tfjs-core';
import { findAdapter, openTensorBackend } from '../../tensor/index.ts';
import { formatBytes } from '../terminal/format-number.ts';
import type { Finding } from './machine.ts';
import { multipliesCorrectly } from './multiplies-correctly.ts';

/** The GPU that WebGPU computes on. Its speed is measured on hardware only: software takes minutes for it. */
export async function webgpuFinding(): Promise<Finding> {
  const subject = 'backend webgpu';
  const adapter = await findAdapter();
  if (adapter === undefined)
    return { subject, state: 'absent', found: 'no GPU found', help: driverAdvice[process.platform] ?? '' };
  if (adapter.isSoftware) {
    const help = 'used only where `--backend webgpu` asks for it; onnx is faster on a processor';
    return { subject, state: 'absent', found: `${adapter.name}: computes on the processor`, help };
  }
  try {
    const { engine } = await openTensorBackend({ backend: 'webgpu' });
    if (!(await multipliesCorrectly()))
      return { subject, state: 'bad', found: `${engine}; its results are wrong` };
    const { memory, largestBuffer } = adapter;
    const figures = {
      ...(await deviceSpeed()),
      ...(memory !== undefined && { memory_bytes: memory }),
      ...(largestBuffer !== undefined && { largest_buffer_bytes: largestBuffer }),
    };
    const room = memory === undefined ? '' : `${formatBytes(memory)}, `;
    const speeds = `${Math.round(figures.gigaflops_per_second)} GFLOP/s, ${Math.round(figures.gigabytes_per_second)} GB/s`;
    return { subject, state: 'good', found: `${engine}; ${room}${speeds}`, figures };
  } catch (error) {
    return {
      subject,
      state: 'bad',
      found: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
    };
  }
}

const driverAdvice: Readonly<Record<string, string>> = {
  linux:
    'optional: trains on any GPU; it needs a Vulkan driver (Debian, Ubuntu: sudo apt install libvulkan1 mesa-vulkan-drivers; NVIDIA: its own driver)',
  win32: "optional: trains on any GPU; it needs the driver of the GPU's maker",
};

/** Many operations before each read, so that the transfer to the host does not count. */
async function deviceSpeed() {
  const [side, products, sums] = [2048, 16, 16];
  const factor = fill([side, side], 1 / side);
  const secondsOf = async (compute: () => Tensor): Promise<number> => {
    const times: number[] = [];
    for (let run = 0; run < 4; run++) {
      const start = performance.now();
      const result = tidy(() => sum(compute()));
      await result.data();
      result.dispose();
      times.push((performance.now() - start) / 1000);
    }
    return Math.min(...times.slice(1));
  };
  const repeat = (times: number, next: (x: Tensor2D) => Tensor2D) => {
    let x = factor as Tensor2D; // of two dimensions, as filled
    for (let done = 0; done < times; done++) x = next(x);
    return x;
  };
  const product = await secondsOf(() => repeat(products, (x) => matMul(x, factor as Tensor2D)));
  const addition = await secondsOf(() => repeat(sums, (x) => add(x, factor)));
  factor.dispose();
  return {
    gigaflops_per_second: (2e-9 * side ** 3 * products) / product,
    gigabytes_per_second: (3e-9 * 4 * side ** 2 * sums) / addition,
  };
}
