import { mkdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { digestPath } from '../../../src/runtime/plan/digest-paths.ts';
import { digestOf, sha256 } from '../../../src/runtime/store/digest.ts';
import { StatCache } from '../../../src/runtime/store/stat-cache.ts';
import { openRig } from '../rig/run-rig.ts';

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
  await sleep(50);
  const first = await digestPath(path, statCache);
  await rig.write('a.txt', 'two');
  utimesSync(path, old, old);
  expect(await digestPath(path, statCache)).not.toBe(first);
});

test('the cache is bounded: files that are gone leave it first, then those looked at longest ago', async () => {
  await using rig = await openRig();
  mkdirSync(rig.storeRoot);
  const digest = digestOf('file', sha256(''));
  const names = ['a', 'b', 'c', 'd', 'e'];
  const [a = '', b = '', c = '', d = '', e = ''] = await Promise.all(
    names.map((name) => rig.write(name, '')),
  );
  const stats = new Map([a, b, c, d, e].map((path) => [path, statSync(path, { bigint: true })]));
  const remember = async (...paths: readonly string[]): Promise<void> => {
    const cache = StatCache.open(rig.storeRoot, 3);
    for (const path of paths) {
      const stat = stats.get(path);
      if (stat !== undefined) cache.remember(path, { stat, digest });
    }
    await cache.save();
  };
  const kept = (): readonly string[] =>
    JSON.parse(readFileSync(join(rig.storeRoot, 'stat-cache.json'), 'utf8')).files.map(
      ([path]: [string]) => path,
    );
  await remember(a, b, c);
  await remember(a);
  expect(kept()).toEqual([b, c, a]);
  await remember(d);
  expect(kept()).toEqual([c, a, d]);
  rmSync(a);
  await remember(e);
  expect(kept()).toEqual([c, d, e]);
});
