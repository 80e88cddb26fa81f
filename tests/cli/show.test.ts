import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

test('every kind of data is readable', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.retune('run');
  expect((await rig.retune('show', 'load', '--limit', '2')).stdout).toMatchInlineSnapshot();
  expect((await rig.retune('show', 'split.test', '-n', '1', '--offset', '1')).stdout).toMatchInlineSnapshot();
  expect((await rig.retune('show', 'tokenize.test', '-n', '1')).stdout).toMatchInlineSnapshot();
  expect((await rig.retune('show', 'collate.train', '--batch', '2')).stdout).toMatchInlineSnapshot();
});

test('an artifact with parts asks for one of them', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.retune('run');
  expect([
    await rig.retune('show', 'split'),
    await rig.retune('show', 'split.tset'),
    await rig.retune('show', 'splti'),
  ]).toMatchInlineSnapshot();
});

test('before a stage has run there is nothing to show', async () => {
  await using rig = await openCliRig(dataProject);
  expect(await rig.retune('show', 'load')).toMatchInlineSnapshot();
});

test('after an edit the last result is shown, and it is said to be of a past run', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.retune('run');
  await rig.write('rows.jsonl', '{"id":"x","instruction":"a","output":"b"}\n');
  const { stderr, exitCode } = await rig.retune('show', 'load', '-n', '1');
  expect([exitCode, stderr]).toEqual([0, 'note: the pipeline has changed since; this is from run <run>']);
});

test('what a row holds cannot steer the terminal', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.write(
    'rows.jsonl',
    `${JSON.stringify({ id: 'x', instruction: '\u001b[2J\u001b]0;title\u0007', output: 'b' })}\n`,
  );
  await rig.retune('run', 'data.yaml', 'load');
  expect((await rig.retune('show', 'load')).stdout).toMatchInlineSnapshot();
});

test('--json gives place, digest and content', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.retune('run');
  for (const reference of ['load', 'split.test', 'tokenize.test', 'collate.train']) {
    const shown = JSON.parse((await rig.retune('show', reference, '--json')).stdout);
    expect(Object.keys(shown).filter((name) => name !== 'part')).toEqual([
      'stage',
      'output',
      'type',
      'digest',
      'content',
    ]);
  }
});
