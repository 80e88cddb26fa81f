import { utimesSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { digestPath } from '../../../src/runtime/plan/source-digests.ts';
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
