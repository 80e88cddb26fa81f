import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

test('a first run runs every stage and says why; a second one has nothing to run', async () => {
  await using rig = await openCliRig(dataProject);
  expect(await rig.retune('run')).toMatchInlineSnapshot();
  expect(await rig.retune('run')).toMatchInlineSnapshot();
});

test('an edit runs what depends on it, and names the field', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.retune('run');
  expect(await rig.retune('run', '-p', 'length=32')).toMatchInlineSnapshot();
});

test('a named stage runs with what it needs and no more', async () => {
  await using rig = await openCliRig(dataProject);
  expect((await rig.retune('run', 'data.yaml', 'split')).stdout).toMatchInlineSnapshot();
});

test('a failed stage ends with 1, says what to mend, and the next run goes on from there', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.write('rows.jsonl', dataProject['rows.jsonl'].replace('"output":"c-a-t"', '"answer":"c-a-t"'));
  expect(await rig.retune('run')).toMatchInlineSnapshot();
  await rig.write('rows.jsonl', dataProject['rows.jsonl']);
  expect((await rig.retune('run')).exitCode).toBe(0);
});

test('--json prints each event and then a summary, one JSON object a line', async () => {
  await using rig = await openCliRig(dataProject);
  const { stdout, stderr, exitCode } = await rig.retune('run', '--json', 'data.yaml', 'load');
  const events = stdout.split('\n').map((line) => JSON.parse(line));
  expect([exitCode, stderr, events.map(({ type }) => type)]).toEqual([
    0,
    '',
    ['run-started', 'stage-started', 'stage-finished', 'run-finished', 'summary'],
  ]);
});
