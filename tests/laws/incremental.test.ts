import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkStep } from './rig/check-step.ts';
import { anyWalk, goWalk } from './rig/walk.ts';

/** How many edits are tried, and where they come from; a failure prints the seed and the shortest walk that fails. */
const steps = Number(process.env.RETUNE_LAW_STEPS ?? 300);
const seed = Number(process.env.RETUNE_LAW_SEED ?? 20_260_101);

/** The mean of walks of up to 24 steps, and the first run of each. */
const stepsPerWalk = 13;

test('after every edit exactly what it concerns runs, as planned and explained, and gives what a run from nothing gives', async () => {
  let taken = 0;
  const started = performance.now();
  await fc.assert(
    fc.asyncProperty(anyWalk, (walk) =>
      goWalk(walk, async (at) => {
        taken += 1;
        await checkStep(at);
      }),
    ),
    { seed, numRuns: Math.ceil(steps / stepsPerWalk) },
  );
  const seconds = (performance.now() - started) / 1000;
  console.log(`${taken} steps from seed ${seed}, ${(taken / seconds).toFixed(1)} a second`);
  expect(taken).toBeGreaterThan(0);
}, 3_600_000);
