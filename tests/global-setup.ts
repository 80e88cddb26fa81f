import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Generates the validators and builds the command once, before any test. What does not build fails only the tests that need it. */
export function setup(): void {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) console.error('The build failed: tests that need what it makes will fail too.');
}
