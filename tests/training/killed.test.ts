import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { bundleProgram } from '../bundle-program.ts';
import { TinyTraining } from './tiny-training.ts';

let program: string;
beforeAll(async () => {
  program = await bundleProgram(join(import.meta.dirname, 'training-program.ts'));
});

interface Attempt {
  readonly steps: readonly number[];
  /** Of the result, if the training ended. */
  readonly digest: string | undefined;
}

/** Trains in a separate process, to the end or until `watch` kills it. */
async function attempt(statePath: string, watch?: (training: Watched) => Promise<void>): Promise<Attempt> {
  const training = spawn(process.execPath, [program, statePath], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(training, 'close');
  const steps: number[] = [];
  let digest: string | undefined;
  for await (const line of createInterface(training.stdout)) {
    const [what, value = ''] = line.split(' ');
    if (what === 'digest') digest = value;
    else steps.push(Number(value));
    if (what === 'step') await watch?.({ training, taken: steps.length });
  }
  await ended;
  return { steps, digest };
}

interface Watched {
  readonly training: ChildProcess;
  readonly taken: number;
}

/** Kills after two steps and some milliseconds more: in a step, an evaluation or while the state is saved. */
const killAfter =
  (milliseconds: number) =>
  async ({ training, taken }: Watched): Promise<void> => {
    if (taken !== 2) return;
    await wait(milliseconds);
    training.kill('SIGKILL');
  };

it('a training that is killed again and again gives the same bytes as an uninterrupted one', async () => {
  await using killed = await TinyTraining.create();
  await using whole = await TinyTraining.create();
  const uninterrupted = await attempt(whole.statePath);
  expect(uninterrupted.steps).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));

  let last = 0;
  for (const milliseconds of [0, 1, 2, 4, 6]) {
    const { steps, digest } = await attempt(killed.statePath, killAfter(milliseconds));
    expect(digest).toBeUndefined();
    // The last step is repeated if its state was not saved yet.
    expect([last, last + 1].map((step) => Math.max(1, step))).toContain(steps[0]);
    last = steps.at(-1) ?? last;
  }
  expect(last).toBeGreaterThan(5);
  expect((await attempt(killed.statePath)).digest).toBe(uninterrupted.digest);
});
