import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkStep } from './rig/check-step.ts';
import { describeWalk } from './rig/describe-walk.ts';
import { KilledRuns } from './rig/kill-run.ts';
import { anyWalk, goWalk } from './rig/walk.ts';

/** How many edits are tried, and where they come from; a failure prints the seed and the shortest walk that fails. */
const steps = Number(process.env.RETUNE_LAW_STEPS ?? 300);
const seed = Number(process.env.RETUNE_LAW_SEED ?? 20_260_101);

/** The mean of walks of up to 20 steps, and the first run of each. */
const stepsPerWalk = 11;

test('after every edit and every kill exactly what it concerns runs, as planned and explained, and gives what a run from nothing gives', async () => {
  await using runs = new KilledRuns();
  const taken = { steps: 0, kills: 0 };
  const started = performance.now();
  const property = fc.asyncProperty(anyWalk, (walk) =>
    goWalk(walk, async (at) => {
      taken.steps += 1;
      if (await checkStep(at, runs)) taken.kills += 1;
    }),
  );
  const found = await fc.check(property, {
    seed,
    numRuns: Math.ceil(steps / stepsPerWalk),
  });
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${taken.steps} steps, ${taken.kills} of them after a kill, from seed ${seed}, ${(taken.steps / seconds).toFixed(1)} a second`,
  );
  if (found.counterexample !== null)
    throw new Error(
      `RETUNE_LAW_SEED=${seed} fails; after ${found.numShrinks} shrinks:\n${describeWalk(...found.counterexample)}`,
      { cause: found.errorInstance },
    );
  expect(taken.steps).toBeGreaterThan(0);
}, 3_600_000);
