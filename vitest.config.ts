import { defineConfig } from 'vitest/config';

const globalSetup = 'tests/global-setup.ts';

export default defineConfig({
  test: {
    testTimeout: 60_000,
    pool: 'forks',
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
    ],
  },
});
