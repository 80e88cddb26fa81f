import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts', 'src/**/*.test.ts'],
    globalSetup: 'tests/global-setup.ts',
    testTimeout: 60_000,
    pool: 'forks',
  },
});
