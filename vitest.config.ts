import { defineConfig } from 'vitest/config';
import { installedTensorflow } from './src/tensor/tensorflow/locate-tensorflow.ts';

const globalSetup = 'tests/global-setup.ts';

const tensorflow = {
  extends: true as const,
  test: {
    name: 'tensorflow',
    include: [
      'tests/tensor/conformance/{binary,gather-and-scatter,mat-mul,reductions,shape,unary}.test.ts',
      'tests/tensor/{ops,ops-of-pytorch,gradients-of-pytorch,backward-memory,tensorflow}.test.ts',
      'tests/training/{parity,padding-free,dropout,lora,resume-in-place}.test.ts',
    ],
    env: { TENSOR_BACKEND: 'tensorflow' },
  },
};

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
      ...(installedTensorflow() === undefined ? [] : [tensorflow]),
    ],
  },
});
