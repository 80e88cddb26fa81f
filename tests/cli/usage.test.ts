import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

test('`retune` alone shows the commands in groups and the first step', async () => {
  await using rig = await openCliRig();
  expect(await rig.retune()).toMatchInlineSnapshot();
});

test('the help of a command has a sentence, its options and examples', async () => {
  await using rig = await openCliRig();
  expect((await rig.retune('run', '--help')).stdout).toMatchInlineSnapshot();
});

test('every command explains itself', async () => {
  await using rig = await openCliRig();
  const names = ['run', 'plan', 'explain', 'show', 'runs', 'graph', 'init', 'schema', 'verify', 'doctor'];
  for (const name of names) {
    const { stdout, exitCode } = await rig.retune(name, '--help');
    expect([exitCode, stdout.startsWith(`Usage: retune ${name} `), stdout.includes('\nExamples:\n')]).toEqual(
      [0, true, true],
    );
  }
});

test('a command or an option that does not exist ends with 2 and a suggestion', async () => {
  await using rig = await openCliRig();
  expect([
    await rig.retune('rnu'),
    await rig.retune('run', '--jbos', '2'),
    await rig.retune('run', '-j', 'many'),
  ]).toMatchInlineSnapshot();
});

test('without a pipeline a run says how to get one', async () => {
  await using rig = await openCliRig({ 'compose.yaml': 'services: {}\n' });
  expect(await rig.retune('run')).toMatchInlineSnapshot();
});

test('with several pipelines one has to be named', async () => {
  await using rig = await openCliRig({
    'a.yaml': 'stages: {}\n',
    'a.lock.yaml': 'stages: {}\n',
    'pipelines/b.yml': 'stages: {}\n',
  });
  expect(await rig.retune('plan')).toMatchInlineSnapshot();
});

test('with --json a bad command line is told as JSON', async () => {
  await using rig = await openCliRig();
  const { exitCode, stdout, stderr } = await rig.retune('plan', '--json');
  expect([exitCode, stderr, Object.keys(JSON.parse(stdout))]).toEqual([2, '', ['error']]);
});

test('every mistake of a pipeline is shown at once, and nothing runs', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.write(
    'data.yaml',
    dataProject['data.yaml'].replace('batch_size', 'batchsize').replace('from: format', 'from: fromat'),
  );
  expect(await rig.retune('run')).toMatchInlineSnapshot();
  const { stdout, exitCode } = await rig.retune('run', '--json');
  expect([exitCode, JSON.parse(stdout).errors.length]).toEqual([2, 2]);
});

test('a stage that the pipeline does not have is refused with a suggestion', async () => {
  await using rig = await openCliRig(dataProject);
  expect(await rig.retune('run', 'tokenise')).toMatchInlineSnapshot();
});
