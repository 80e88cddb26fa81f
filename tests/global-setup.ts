import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Generates the validators and builds the command once, before any test. A failed build fails only the tests that need it. */
export function setup(): void {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) console.error('The build failed: tests that need what it makes will fail too.');
  process.env.TUNELOOM_TEST_BUNDLES = mkdtempSync(join(tmpdir(), 'tuneloom-bundles-'));
}

/** The workers that made them are killed without a chance to clean up. */
export function teardown(): void {
  const bundles = process.env.TUNELOOM_TEST_BUNDLES;
  if (bundles !== undefined) rmSync(bundles, { recursive: true, force: true });
}
