import { existsSync, readdirSync } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type CollectionRequest, planCollection } from '../../../src/runtime/collect/plan-collection.ts';
import { removeCollection } from '../../../src/runtime/collect/remove-collection.ts';
import { thisProcess } from '../../../src/runtime/store/process-identity.ts';
import { temporaryPath } from '../../../src/runtime/store/temporary.ts';
import { verifyStore } from '../../../src/runtime/store/verify-store.ts';
import { decisions, openRig, outputsOf, type RunRig } from '../rig/run-rig.ts';
import { startRun } from '../rig/start-run.ts';
import type { TinyPipeline } from '../rig/tiny-dag.ts';

const day = 24 * 60 * 60 * 1000;
const inDays = (days: number) => new Date(Date.now() + days * day);

const ending = (suffix: string): TinyPipeline['stages'] => ({
  read: { uses: 'read', with: { path: 'letters.txt' } },
  append: { uses: 'append', with: { suffix }, from: { text: 'read.text' } },
  pack: { uses: 'pack', from: { text: 'append.text' } },
});

/** Five runs of one pipeline, each with its own suffix and the same `read`. */
async function fiveRuns(): Promise<RunRig> {
  const rig = await openRig();
  await rig.write('letters.txt', 'abc');
  for (const suffix of ['1', '2', '3', '4', '5']) await rig.run(rig.dag(ending(suffix)));
  return rig;
}

const plan = (rig: RunRig, request: Partial<CollectionRequest> = {}) =>
  planCollection(rig.open(), { now: inDays(40), olderThanMs: 30 * day, locked: new Set(), ...request });

const names = (list: readonly { readonly kind: string; readonly name: string }[]) =>
  list
    .filter(({ kind }) => kind === 'result')
    .map(({ name }) => name)
    .sort();

const filesIn = (folder: string): readonly string[] =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort() : [];

test('what the last three runs of a pipeline used is kept, the rest is removed, and the store is intact', async () => {
  await using rig = await fiveRuns();
  const collection = plan(rig);
  expect(names(collection.goes)).toEqual([
    'append of tiny',
    'append of tiny',
    'pack of tiny',
    'pack of tiny',
  ]);
  expect(new Set(collection.stays.map(({ because }) => because))).toEqual(new Set(['last-runs']));
  const removal = await removeCollection(rig.open(), collection);
  expect(removal).toMatchObject({ spared: 0, bytes: collection.bytes - collection.bytesAfter });
  const { problems, blobs } = await verifyStore(rig.open());
  expect([problems, blobs]).toEqual([[], 1 + 3 * 2 + 1]); // abc; each one's text and manifest; the label
  expect(decisions(await rig.run(rig.dag(ending('5'))))).toEqual({
    read: 'reused',
    append: 'reused',
    pack: 'reused',
  });
  expect(decisions(await rig.run(rig.dag(ending('1'))))).toEqual({
    read: 'reused',
    append: 'ran',
    pack: 'ran',
  });
});

test('planning removes nothing, and nothing younger than a day or the given time is removed', async () => {
  await using rig = await fiveRuns();
  const before = filesIn(rig.storeRoot);
  expect(plan(rig).goes).not.toEqual([]);
  expect(filesIn(rig.storeRoot)).toEqual(before);
  expect(plan(rig, { now: inDays(20) }).goes).toEqual([]);
  const soon = plan(rig, { now: inDays(0.9), olderThanMs: 0, maxBytes: 0 });
  expect([soon.goes, soon.blobs.size]).toEqual([[], 0]);
});

test('what a lock names is kept, by its key and by its content', async () => {
  await using rig = await fiveRuns();
  const first = await rig.run(rig.dag(ending('1')));
  for (const suffix of ['3', '4', '5']) await rig.run(rig.dag(ending(suffix)));
  const append = first.stages.get('append');
  if (append === undefined || !('key' in append)) throw new Error('append has no key');
  const locked = plan(rig, { locked: new Set([append.key]) });
  expect(locked.stays.filter(({ because }) => because === 'locked').map(({ name }) => name)).toEqual([
    'append of tiny',
  ]);
  const digest = 'outputs' in append ? String(append.outputs.text).slice('sha256:'.length) : '';
  expect(plan(rig).blobs.has(digest)).toBe(true);
  expect(plan(rig, { locked: new Set([digest]) }).blobs.has(digest)).toBe(false);
});

test('beyond the largest size the least recently used is removed first, and what is kept for another reason never', async () => {
  await using rig = await fiveRuns();
  const all = plan(rig, { now: inDays(2) });
  expect(all.goes).toEqual([]);
  const some = plan(rig, { now: inDays(2), maxBytes: all.bytes - 1 });
  expect(some.bytesAfter).toBeLessThan(all.bytes);
  expect(some.goes.length).toBeGreaterThan(0);
  expect(names(plan(rig, { now: inDays(2), maxBytes: 0 }).goes)).toHaveLength(4);
});

test('what is used or computed again between the plan and the removal is kept', async () => {
  await using rig = await fiveRuns();
  const later = { now: inDays(40) };
  const records = filesIn(join(rig.storeRoot, 'actions')).filter((name) => name.endsWith('.json'));
  const longAgo = new Date(Date.now() - 50 * day);
  for (const name of records) await utimes(join(rig.storeRoot, 'actions', name), longAgo, longAgo);
  const collection = plan(rig, later);
  const used = await rig.run(rig.dag(ending('1')));
  const made = await rig.run(rig.dag({ ...ending('2') }), { force: ['append', 'pack'] });
  const removal = await removeCollection(rig.open(), collection);
  expect(removal.spared).toBe(4);
  expect((await verifyStore(rig.open())).problems).toEqual([]);
  expect(outputsOf(await rig.run(rig.dag(ending('1'))))).toEqual(outputsOf(used));
  expect(outputsOf(await rig.run(rig.dag(ending('2'))))).toEqual(outputsOf(made));
});

test('a gc that ended between records and files leaves an intact store, and the next one removes the files', async () => {
  await using rig = await fiveRuns();
  const collection = plan(rig);
  await removeCollection(rig.open(), { ...collection, blobs: new Map() });
  expect((await verifyStore(rig.open())).problems).toEqual([]);
  const next = plan(rig);
  expect([next.goes, next.blobs.size]).toEqual([[], collection.blobs.size]);
  await removeCollection(rig.open(), next);
  expect(plan(rig).blobs.size).toBe(0);
});

test('during a run, nothing that it may have used is removed, however long it takes', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(ending('1')));
  const { process: running } = await startRun(rig, {
    ...ending('1'),
    wait: { uses: 'child-misbehave', with: { act: 'wait' } },
  });
  while (filesIn(join(rig.storeRoot, 'state')).every((name) => !name.endsWith('started'))) await sleep(20);
  const collection = plan(rig, { now: inDays(3), olderThanMs: 0, maxBytes: 0 });
  expect([collection.openRuns.length, collection.goes, collection.blobs.size]).toEqual([1, [], 0]);
  expect(collection.stays.map(({ because }) => because)).toContain('open-run');
  running.kill('SIGINT');
  await running;
});

test('answers, epochs, unfinished work and temporary files are removed by age, and links with what they point to', async () => {
  await using rig = await fiveRuns();
  const old = [
    'memo/a/x.jsonl',
    'checkpoints/b/epoch.safetensors',
    'state/c/d/log.txt',
    join('tmp', `${basename(await temporaryPath(rig.storeRoot)).replace(/^(\d+-)/, '$11')}`),
    'sources/f.json',
  ];
  for (const path of old) {
    await mkdir(join(rig.storeRoot, path, '..'), { recursive: true });
    await writeFile(join(rig.storeRoot, path), 'text');
  }
  const kinds = (days: number) =>
    plan(rig, { now: inDays(days) })
      .goes.filter(({ kind }) => kind !== 'result')
      .map(({ kind }) => kind);
  expect(kinds(2)).toEqual(['temporary']);
  expect(kinds(40)).toEqual(['memo', 'checkpoint', 'attempt', 'source', 'temporary']);
  await rig.run(rig.dag(ending('6'), { name: 'other' }));
  await removeCollection(rig.open(), plan(rig, { now: inDays(40) }));
  expect(old.filter((path) => existsSync(join(rig.storeRoot, path)))).toEqual([]);
});

test('pipelines of the same name in two projects keep the results of their own last runs', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const elsewhere = join(rig.folder, 'other', 'tiny.yaml');
  await rig.run(rig.dag(ending('mine')));
  for (const suffix of ['1', '2', '3', '4'])
    await rig.run({ ...rig.dag(ending(suffix)), file: elsewhere }, { leaveLock: true });
  const kept = plan(rig, { now: inDays(40) }).stays.filter(({ kind }) => kind === 'result');
  const goes = plan(rig, { now: inDays(40) }).goes.filter(({ kind }) => kind === 'result');
  const endings = (list: readonly { readonly name: string }[]) =>
    list.filter(({ name }) => name.startsWith('append')).length;
  expect([endings(kept), endings(goes)]).toEqual([4, 1]);
});

test('what a living process works on stays, however old it is and whatever the clock says', async () => {
  await using rig = await openRig();
  const owners = { living: thisProcess(), dead: { ...thisProcess(), start: 'long ago' } };
  const hundredDaysAgo = new Date(inDays(-100));
  for (const [name, owner] of Object.entries(owners)) {
    const attempt = join(rig.storeRoot, 'state', name, 'run-1');
    const action = { memoPath: join(rig.storeRoot, 'memo', name), checkpointPath: `/x/checkpoints/${name}` };
    const files = {
      [join(attempt, 'owner.json')]: JSON.stringify(owner),
      [join(attempt, 'action.json')]: JSON.stringify(action),
      [join(rig.storeRoot, 'memo', name, 'x')]: 'x',
      [join(rig.storeRoot, 'checkpoints', name, 'x')]: 'x',
      [join(rig.storeRoot, 'leases', name)]: JSON.stringify(owner),
      [join(rig.storeRoot, 'downloads', name, 'x')]: 'x',
    };
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, text);
      for (const old of [path, join(path, '..'), attempt, join(attempt, '..')])
        if (existsSync(old)) await utimes(old, hundredDaysAgo, hundredDaysAgo);
    }
  }
  const { goes, stays } = plan(rig, { now: inDays(1), olderThanMs: 0, maxBytes: 0 });
  const paths = (list: readonly { readonly path: string }[]) => list.map(({ path }) => path).sort();
  const of = (name: string) =>
    ['checkpoints', 'downloads', 'memo', 'state'].map((folder) => join(folder, name));
  expect([paths(goes), paths(stays)]).toEqual([of('dead'), of('living')]);
  // A run sweeps too.
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(ending('1')));
  const left = (name: string) =>
    ['checkpoints', 'memo', 'state'].filter((folder) => existsSync(join(rig.storeRoot, folder, name)));
  expect([left('living'), left('dead')]).toEqual([['checkpoints', 'memo', 'state'], []]);
});

test('the last twenty runs of a pipeline stay on record', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  for (let run = 0; run < 23; run += 1) await rig.run(rig.dag(ending('1')));
  const { goes } = plan(rig);
  expect(goes.map(({ kind }) => kind)).toEqual(['run', 'run', 'run']);
  await removeCollection(rig.open(), plan(rig));
  expect(filesIn(join(rig.storeRoot, 'runs'))).toHaveLength(20);
});
