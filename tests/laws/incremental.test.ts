import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkStep } from './rig/check-step.ts';
import { describeWalk } from './rig/describe-walk.ts';
import { KilledRuns } from './rig/kill-run.ts';
import { anyWalk, goWalk } from './rig/walk.ts';

/** The number of edits and their seed. A failure prints the seed and the shortest walk that fails. */
const steps = Number(process.env.TUNELOOM_LAW_STEPS ?? 2_000);
const seed = Number(process.env.TUNELOOM_LAW_SEED ?? 20_260_101);

/** The mean of walks of up to 20 steps, and the first run of each. */
const stepsPerWalk = 11;

/** Concurrent walks, because each waits for the disk half of its time. Each has its own seed. */
const lanes = 4;

test('after every edit and every kill exactly the affected stages run, as planned and explained, and give what a run from scratch gives', async () => {
  const started = performance.now();
  const taken = await Promise.all(Array.from({ length: lanes }, (_, lane) => goWalks(seed + lane)));
  const seconds = (performance.now() - started) / 1000;
  const sum = (of: keyof Taken): number => taken.reduce((total, each) => total + each[of], 0);
  console.log(
    `${sum('steps')} steps, ${sum('kills')} of them after a kill, from ${lanes} seeds, the first ${seed}, ${(sum('steps') / seconds).toFixed(1)} a second`,
  );
  expect(sum('steps')).toBeGreaterThan(0);
}, 3_600_000);

interface Taken {
  readonly steps: number;
  readonly kills: number;
}

async function goWalks(seed: number): Promise<Taken> {
  await using runs = new KilledRuns();
  const taken = { steps: 0, kills: 0 };
  const property = fc.asyncProperty(anyWalk, (walk) =>
    goWalk(walk, async (at) => {
      taken.steps += 1;
      if (await checkStep(at, runs)) taken.kills += 1;
    }),
  );
  const found = await fc.check(property, { seed, numRuns: Math.ceil(steps / lanes / stepsPerWalk) });
  if (found.counterexample !== null)
    throw new Error(
      `TUNELOOM_LAW_SEED=${seed} fails; after ${found.numShrinks} shrinks:\n${describeWalk(...found.counterexample)}`,
      { cause: found.errorInstance },
    );
  return taken;
}
