import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf, sha256 } from '../../../src/runtime/key/digest.ts';
import { digestPath, digestPaths } from '../../../src/runtime/plan/read-source.ts';
import { StatCache } from '../../../src/runtime/store/stat-cache.ts';
import { storeLayout } from '../../../src/runtime/store/store-layout.ts';
import { openRig, untilSettled } from '../rig/run-rig.ts';

test('a file that changes in the same clock step and size is hashed again', async () => {
  await using rig = await openRig();
  const { statCache } = rig.open();
  const path = await rig.write('a.txt', 'one');
  const first = await digestPath(path, statCache);
  for (const text of ['two', 'six', 'ten']) {
    await rig.write('a.txt', text);
    expect(await digestPath(path, statCache)).toBe(await digestPath(path));
  }
  await rig.write('a.txt', 'one');
  expect(await digestPath(path, statCache)).toBe(first);
});

test('a file with the old size and an old time put back is still noticed', async () => {
  await using rig = await openRig();
  const { statCache } = rig.open();
  const path = await rig.write('a.txt', 'one');
  const old = new Date('2020-01-01T00:00:00Z');
  utimesSync(path, old, old);
  await untilSettled(path);
  const first = await digestPath(path, statCache);
  await rig.write('a.txt', 'two');
  utimesSync(path, old, old);
  expect(await digestPath(path, statCache)).not.toBe(first);
});

test('every change of a folder that is known as a whole is noticed', async () => {
  await using rig = await openRig();
  mkdirSync(rig.storeRoot);
  mkdirSync(join(rig.folder, 'data/deep'), { recursive: true });
  for (const name of ['data/a.txt', 'data/deep/b.txt', 'data/c.txt']) await rig.write(name, 'one');
  const folder = join(rig.folder, 'data');
  const path = (name: string): string => join(folder, name);
  const digests = async (): Promise<readonly string[]> => {
    const { statCache } = rig.open();
    const [found] = await digestPaths([folder], statCache);
    await statCache.save();
    return [found?.ok ? found.value : 'none', await digestPath(folder)];
  };
  const isKnown = async (): Promise<boolean> => {
    const inside = ['a.txt', 'c.txt', 'deep/b.txt'];
    const stats = inside.map((name) => statSync(path(name), { bigint: true }));
    return rig.open().statCache.findFolder(folder, { inside, stats }) !== undefined;
  };
  expect([...new Set(await digests())].length, 'just written').toBe(1);
  expect(await isKnown(), 'just written').toBe(false);
  await untilSettled(path('c.txt'));
  expect([...new Set(await digests())].length).toBe(1);
  expect(await isKnown()).toBe(true);
  const { mtime } = statSync(path('a.txt'));
  const changes: readonly (readonly [string, () => unknown])[] = [
    ['old size', () => writeFileSync(path('a.txt'), 'two')],
    ['old time', () => utimesSync(path('a.txt'), mtime, mtime)],
    ['the same clock step', () => writeFileSync(path('a.txt'), 'six')],
    ['renamed', () => renameSync(path('deep/b.txt'), path('deep/d.txt'))],
    ['added', () => writeFileSync(path('deep/e.txt'), '')],
    ['gone', () => rmSync(path('c.txt'))],
    ['replaced', () => renameSync(path('deep/e.txt'), path('a.txt'))],
  ];
  let before = (await digests())[0];
  for (const [name, change] of changes) {
    change();
    const [cached, read] = await digests();
    expect([cached, cached !== before], name).toEqual([read, name !== 'old time']);
    before = cached;
  }
});

/** A store whose cache holds three files, and five files, each in its own folder except `a` and `z`. */
async function openBounded() {
  const rig = await openRig();
  mkdirSync(rig.storeRoot);
  const digest = digestOf('file', sha256(''));
  const names = ['one/a', 'one/z', 'two/b', 'three/c', 'four/d'];
  for (const folder of ['one', 'two', 'three', 'four']) mkdirSync(join(rig.folder, folder));
  for (const name of names) await rig.write(name, '');
  const stats = new Map(names.map((name) => [name, statSync(join(rig.folder, name), { bigint: true })]));
  const open = (): StatCache => StatCache.open(rig.storeRoot, 3);
  const isKnown = (name: string, cache: StatCache): boolean => {
    const stat = stats.get(name);
    return stat !== undefined && cache.find(join(rig.folder, name), stat) === digest;
  };
  return {
    rig,
    open,
    isKnown,
    remember: async (...files: readonly string[]): Promise<void> => {
      const cache = open();
      for (const name of files) {
        const stat = stats.get(name);
        if (stat !== undefined) cache.remember(join(rig.folder, name), { stat, digest });
      }
      await cache.save();
    },
    known: (): readonly string[] => names.filter((name) => isKnown(name, open())),
  };
}

test('the cache is bounded: files that are gone leave it first, then the folders looked at longest ago', async () => {
  const { rig, remember, known } = await openBounded();
  await using _ = rig;
  await remember('one/a', 'two/b', 'three/c');
  expect(known()).toEqual(['one/a', 'two/b', 'three/c']);
  await remember('one/a');
  await remember('four/d');
  expect(known()).toEqual(['one/a', 'three/c', 'four/d']);
  rmSync(join(rig.folder, 'one/a'));
  await remember('two/b');
  expect(known()).toEqual(['two/b', 'three/c', 'four/d']);
});

test('all files of the current run are kept in the cache, however many', async () => {
  const { rig, remember, known } = await openBounded();
  await using _ = rig;
  await remember('one/a', 'one/z', 'two/b', 'three/c', 'four/d');
  expect(known()).toEqual(['one/a', 'one/z', 'two/b', 'three/c', 'four/d']);
});

test('what two processes learn of one folder is kept', async () => {
  const { rig, open, isKnown, remember, known } = await openBounded();
  await using _ = rig;
  const early = open();
  expect(isKnown('one/z', early)).toBe(false);
  await remember('one/a');
  early.remember(join(rig.folder, 'one/z'), {
    stat: statSync(join(rig.folder, 'one/z'), { bigint: true }),
    digest: digestOf('file', sha256('')),
  });
  await early.save();
  expect(known()).toEqual(['one/a', 'one/z']);
});

test('a cache with any bit flipped has the right digest or none', async () => {
  const { rig, remember, open, isKnown } = await openBounded();
  await using _ = rig;
  await remember('one/a', 'two/b');
  const path = join(rig.storeRoot, storeLayout.statCache);
  const bytes = readFileSync(path);
  const stat = { ...statSync(join(rig.folder, 'two/b'), { bigint: true }), size: 1n };
  for (let at = 0; at < bytes.length; at += 1) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(path, flipped);
    const cache = open();
    expect([isKnown('one/a', cache), cache.find(join(rig.folder, 'two/b'), stat)]).toEqual([
      expect.any(Boolean),
      undefined,
    ]);
  }
});

test('a file from another millennium is cached', async () => {
  const { rig, open } = await openBounded();
  await using _ = rig;
  const [path, digest] = [join(rig.folder, 'one/a'), digestOf('file', sha256(''))];
  const stat = { ...statSync(path, { bigint: true }), mtimeNs: 10n ** 20n, ctimeNs: -(10n ** 20n) };
  const cache = open();
  cache.remember(path, { stat, digest });
  await cache.save();
  expect(open().find(path, stat)).toBe(digest);
});
