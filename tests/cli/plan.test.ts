import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

test('a plan says what would run, why, and how long it took last time', async () => {
  await using rig = await openCliRig(dataProject);
  expect(await rig.retune('plan')).toMatchInlineSnapshot();
  await rig.retune('run');
  expect(await rig.retune('plan')).toMatchInlineSnapshot();
  expect(
    await rig.retune('plan', '--set', 'stages.format.with.template=alpaca-stanford'),
  ).toMatchInlineSnapshot();
});

test('plan --check ends with 3 if anything would run', async () => {
  await using rig = await openCliRig(dataProject);
  const before = await rig.retune('plan', '--check', '--json');
  await rig.retune('run');
  const after = await rig.retune('plan', '--check', '--json');
  expect(
    [before, after].map(({ exitCode, stdout }) => [exitCode, JSON.parse(stdout).stages.map(decisionOf)]),
  ).toEqual([
    [3, ['run', 'undecided', 'undecided', 'undecided', 'undecided']],
    [0, ['reuse', 'reuse', 'reuse', 'reuse', 'reuse']],
  ]);
});

const decisionOf = ({ decision }: { decision: string }) => decision;

test('explain shows each field that differs, with its line', async () => {
  await using rig = await openCliRig(dataProject);
  expect((await rig.retune('explain', 'collate')).stdout).toMatchInlineSnapshot();
  await rig.retune('run');
  expect((await rig.retune('explain', 'collate')).stdout).toMatchInlineSnapshot();
  const edited = dataProject['data.yaml']
    .replace('length: 64', 'length: 32')
    .replace('batch_size: 2', 'batch_size: 4');
  await rig.write('data.yaml', edited);
  expect((await rig.retune('explain', 'collate')).stdout).toMatchInlineSnapshot();
  await rig.write('rows.jsonl', dataProject['rows.jsonl'].replace('fox', 'ram'));
  expect((await rig.retune('explain', 'load')).stdout).toMatchInlineSnapshot();
  expect((await rig.retune('explain', 'collate')).stdout).toMatchInlineSnapshot();
});

test('explain --json gives each difference with file and line', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.retune('run');
  const { stdout } = await rig.retune('explain', 'collate', '-p', 'length=32', '--json');
  expect(JSON.parse(stdout)).toMatchInlineSnapshot();
});
