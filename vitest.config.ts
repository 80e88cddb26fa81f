import { defineConfig } from 'vitest/config';
import { installedCuda } from './src/tensor/onnx/device/locate-cuda.ts';
import { hasNvidiaGpu, installedTensorflow } from './src/tensor/tensorflow/locate-tensorflow.ts';

const globalSetup = 'tests/global-setup.ts';

const webgpuOnly = [
  'tests/tensor/{webgpu,cached-attention}.test.ts',
  'tests/model/{families,generation,cached-decoder,choice-log-likelihoods,decode-rows,continuous-batch}.test.ts',
];

/** The tests of backends, run once more on another. */
const again = (backend: 'tensorflow' | 'webgpu' | 'cuda') => ({
  extends: true as const,
  test: {
    name: backend,
    include: [
      'tests/tensor/conformance/{binary,gather-and-scatter,mat-mul,reductions,shape,unary}.test.ts',
      'tests/tensor/{ops,ops-of-pytorch,gradients-of-pytorch,half-precision,backward-memory,tensorflow}.test.ts',
      'tests/training/{parity,padding-free,dropout,lora,resume-in-place,half-precision}.test.ts',
      ...(backend === 'webgpu' ? webgpuOnly : []),
    ],
    env: { TENSOR_BACKEND: backend },
    testTimeout: 300_000,
  },
});

export default defineConfig({
  test: {
    testTimeout: 60_000,
    // As in the product, also where a test loads the library itself.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    pool: 'forks',
    // Otherwise one processor is left idle, which on two is half of them.
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        test: { name: 'all', include: ['tests/**/*.test.ts', 'src/**/*.test.ts'], globalSetup },
      },
      {
        // Again on the slower way to call ONNX Runtime, which is for where the faster one does not load.
        extends: true,
        test: {
          name: 'binding',
          include: ['tests/tensor/**/*.test.ts'],
          env: { TENSOR_ONNX_RUNNER: 'binding' },
        },
      },
      // Where `tuneloom setup tensorflow` has been run.
      ...(installedTensorflow() === undefined ? [] : [again('tensorflow')]),
      // Where `tuneloom setup cuda` has been run.
      ...(installedCuda() !== undefined && hasNvidiaGpu() ? [again('cuda')] : []),
      // Where Vulkan finds a device, if only one in software: see docs/gpu.md.
      ...(process.env.TUNELOOM_WEBGPU_TESTS ? [again('webgpu')] : []),
    ],
  },
});
