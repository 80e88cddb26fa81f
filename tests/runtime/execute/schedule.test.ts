import { expect, test } from 'vitest';
import type { RunEvent } from '../../../src/runtime/stage/run-event.ts';
import { decisions, openRig, outputsOf } from '../rig/run-rig.ts';
import type { TinyPipeline } from '../rig/tiny-dag.ts';

const startsAndEnds = (events: readonly RunEvent[]): readonly string[] =>
  events
    .filter(({ type }) => type === 'stage-started' || type === 'stage-finished')
    .map((event) => `${'stage' in event ? event.stage : ''} ${event.type.replace('stage-', '')}`);

const copies: TinyPipeline['stages'] = {
  read: { uses: 'read', with: { path: 'letters.txt' } },
  longer: { uses: 'append', with: { suffix: '!' }, from: { text: 'read.text' } },
  one: { uses: 'child-copy', from: { text: 'read.text' } },
  two: { uses: 'child-copy', from: { text: 'longer.text' } },
};

test('independent stages run at the same time', async () => {
  await using rig = await openRig();
  const dag = rig.dag({
    a: { uses: 'meet', with: { name: 'a', other: 'b', place: rig.folder } },
    b: { uses: 'meet', with: { name: 'b', other: 'a', place: rig.folder } },
  });
  const result = await rig.run(dag, { jobs: 2 });
  expect(await rig.text(result, 'b')).toBe('b met a');
});

test('one stage at a time runs on the accelerator', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(copies), { targets: ['longer'] });
  await rig.run(rig.dag(copies), { jobs: 4 });
  expect(startsAndEnds(rig.events).slice(4)).toEqual([
    'one started',
    'one finished',
    'two started',
    'two finished',
  ]);
});

test('with one job, stages run one after the other in topological order', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(copies), { jobs: 1 });
  expect(startsAndEnds(rig.events)).toEqual([
    'read started',
    'read finished',
    'longer started',
    'longer finished',
    'one started',
    'one finished',
    'two started',
    'two finished',
  ]);
});

test('the number of jobs changes no output', async () => {
  await using one = await openRig();
  await using four = await openRig();
  await one.write('letters.txt', 'abc');
  await four.write('letters.txt', 'abc');
  const serial = await one.run(one.dag(copies), { jobs: 1 });
  const parallel = await four.run(four.dag(copies), { jobs: 4 });
  expect(outputsOf(parallel)).toEqual(outputsOf(serial));
});

test('a run without anything to do starts no stage', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(copies));
  const before = rig.events.length;
  const result = await rig.run(rig.dag(copies), { stageProcess: '/absent' });
  expect(decisions(result)).toEqual({ read: 'reused', longer: 'reused', one: 'reused', two: 'reused' });
  expect(rig.events.slice(before).map(({ type }) => type)).toEqual([
    'run-started',
    'stage-reused',
    'stage-reused',
    'stage-reused',
    'stage-reused',
    'run-finished',
  ]);
});
