import { expect, test } from 'vitest';
import { decisions, openRig, outputsOf } from '../runtime/rig/run-rig.ts';
import type { TinyPipeline } from '../runtime/rig/tiny-dag.ts';

/** read -> append -> count, and join of the first and the last. */
const letters = (change: { suffix?: string; label?: string } = {}): TinyPipeline['stages'] => ({
  read: { uses: 'read', with: { path: 'letters.txt' } },
  append: { uses: 'append', with: { suffix: '!', label: 'a', ...change }, from: { text: 'read.text' } },
  count: { uses: 'count', from: { text: 'append.text' } },
  join: { uses: 'join', from: { left: 'read.text', right: 'count.text' } },
});

const parts = (names: readonly string[], text = 'six of'): TinyPipeline['stages'] => ({
  read: { uses: 'read', with: { path: 'letters.txt' } },
  cut: { uses: 'cut', with: { parts: names }, from: { text: 'read.text' } },
  append: { uses: 'append', with: { suffix: text }, from: { text: 'cut.text' } },
  count: { uses: 'count', from: { text: 'append.text.a' } },
});

test('a cached run and a run from scratch give the same digests', async () => {
  await using warm = await openRig();
  await using cold = await openRig();
  await warm.write('letters.txt', 'abc');
  await cold.write('letters.txt', 'abc');
  const first = await warm.run(warm.dag(letters()));
  const second = await warm.run(warm.dag(letters()));
  const fresh = await cold.run(cold.dag(letters()));
  expect(decisions(first)).toEqual({ read: 'ran', append: 'ran', count: 'ran', join: 'ran' });
  expect(decisions(second)).toEqual({ read: 'reused', append: 'reused', count: 'reused', join: 'reused' });
  expect(outputsOf(second)).toEqual(outputsOf(first));
  expect(outputsOf(fresh)).toEqual(outputsOf(first));
  expect(await warm.text(second, 'join')).toBe('abc+4');
});

test('an edit reruns exactly the stages whose inputs changed, and the reason names the field', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(letters()));
  const edited = rig.dag(letters({ suffix: '??' }));
  expect(await rig.plan(edited)).toEqual({
    read: 'reuse',
    append: '`with.suffix` changed from "!" to "??"',
    count: 'waits for append',
    join: 'waits for count',
  });
  const result = await rig.run(edited);
  expect(decisions(result)).toEqual({ read: 'reused', append: 'ran', count: 'ran', join: 'ran' });
  expect(result.stages.get('count')).toMatchObject({ reason: 'input `text` changed' });
});

test('a stage whose rerun gives the same output cuts off what follows', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(letters()));
  const result = await rig.run(rig.dag(letters({ suffix: '?' })));
  expect(decisions(result)).toEqual({ read: 'reused', append: 'ran', count: 'ran', join: 'reused' });
});

test('going back to an old value is a hit', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(letters()));
  await rig.run(rig.dag(letters({ suffix: '?' })));
  expect(decisions(await rig.run(rig.dag(letters())))).toEqual({
    read: 'reused',
    append: 'reused',
    count: 'reused',
    join: 'reused',
  });
});

test('new content of a source reruns its reader; a new modification time reruns nothing', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(letters()));
  await rig.write('letters.txt', 'abc');
  expect((await rig.plan(rig.dag(letters()))).read).toBe('reuse');
  await rig.write('letters.txt', 'abd');
  expect((await rig.plan(rig.dag(letters()))).read).toBe('the content of `with.path` changed');
});

test('a field that is marked as not part of the key reruns nothing', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(letters({ label: 'a' })));
  expect(Object.values(await rig.plan(rig.dag(letters({ label: 'b' }))))).toEqual([
    'reuse',
    'reuse',
    'reuse',
    'reuse',
  ]);
});

test('a stage that takes one part depends on that part only', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abcdef');
  const first = await rig.run(rig.dag(parts(['a', 'b'])));
  expect(await rig.text(first, 'count')).toBe('9');
  await rig.write('letters.txt', 'abcxyz');
  const second = await rig.run(rig.dag(parts(['a', 'b'])));
  expect(decisions(second)).toEqual({ read: 'ran', cut: 'ran', append: 'ran', count: 'reused' });
  expect(second.stages.get('append')).toMatchObject({ reason: 'input `text.b` changed' });
});

test('a stage of another name and in another pipeline is reused', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(letters()));
  const renamed = rig.dag({ other: { uses: 'read', with: { path: 'letters.txt' } } }, { name: 'elsewhere' });
  expect(await rig.plan(renamed)).toEqual({ other: 'reuse' });
});

test('a folder goes through the store unchanged', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const stages: TinyPipeline['stages'] = {
    read: { uses: 'read', with: { path: 'letters.txt' } },
    pack: { uses: 'pack', from: { text: 'read.text' } },
    unpack: { uses: 'unpack', from: { box: 'pack.box' } },
  };
  const result = await rig.run(rig.dag(stages));
  expect(await rig.text(result, 'unpack')).toBe('abc');
  expect(decisions(await rig.run(rig.dag(stages)))).toEqual({
    read: 'reused',
    pack: 'reused',
    unpack: 'reused',
  });
});
