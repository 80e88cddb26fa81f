import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from './rig.ts';
import { tuningStages } from './tuning.ts';

const rows = Array.from({ length: 9 }, (_, row) => ({ text: `w${row} w${row + 1} w${row + 2} w${row + 3}` }));

const project = {
  'package.json': '{}',
  'rows.json': JSON.stringify(rows),
  'tune.yaml': `name: tune
params: { epochs: 2 }
${tuningStages(`"\${params.epochs}"`)}`,
};

async function planned(rig: CliRig, ...words: string[]): Promise<string> {
  const { stages } = JSON.parse((await rig.tuneloom('plan', ...words, '--json')).stdout);
  return stages.at(-1).reason ?? stages.at(-1).decision;
}

/** The number of steps that the run took, and the digests of the training's outputs. */
async function run(rig: CliRig, ...words: string[]) {
  const { stdout, exitCode } = await rig.tuneloom('run', ...words);
  const last = JSON.parse((await rig.tuneloom('runs', 'latest', '--json')).stdout);
  return { exitCode, stdout, outputs: last.stages.train.outputs };
}

test('raising epochs trains only the new ones, as the plan says, and gives the bytes of a run from scratch', async () => {
  await using rig = await openCliRig(project);
  await run(rig);
  expect(await planned(rig, '-p', 'epochs=3')).toBe(
    '`with.epochs` changed from 2 to 3; trains 1 more epoch after 2 kept',
  );
  const longer = await run(rig, '-p', 'epochs=3');
  expect(longer.stdout).toContain('resumes after epoch 2, which is kept from before');
  expect(longer.outputs).toEqual((await run(rig, '-p', 'epochs=3', '--store', 'fresh')).outputs);
  await rig.write('tune.yaml', project['tune.yaml'].replace('epochs: 2', 'epochs: 1'));
  expect(await planned(rig)).toBe('`with.epochs` changed from 3 to 1');
  await rig.write('tune.yaml', project['tune.yaml'].replace('epochs: 2', 'epochs: 2, other: 1'));
  expect(await planned(rig, '--set', 'stages.train.with.schedule.warmup_steps=1')).toBe(
    '`with.epochs` changed from 3 to 2, `with.schedule.warmup_steps` is now 1',
  );
});

test('a schedule that depends on the number of steps trains all epochs again, and so does --force', async () => {
  await using rig = await openCliRig(project);
  const linear = ['--set', 'stages.train.with.schedule.name=linear'];
  await run(rig, ...linear);
  expect(await planned(rig, ...linear, '-p', 'epochs=3')).toBe('`with.epochs` changed from 2 to 3');
  await run(rig);
  const forced = await run(rig, '--force', 'train');
  expect(forced.stdout).not.toContain('goes on');
});
