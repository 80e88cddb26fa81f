import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StatCache } from '../../src/runtime/store/stat-cache.ts';
import { untilSettled } from '../runtime/rig/run-rig.ts';
import { openCliRig } from './rig.ts';

const pipeline = `stages:
  read:
    uses: shell
    with:
      command: ls "$FILE_data" > "$OUT_names"
      files: { data: data }
      outputs: { names: file }
`;

test('large and many files, hashed in threads, have the digests of their bytes, and verify finds no damage', async () => {
  await using rig = await openCliRig({ 'pipeline.yaml': pipeline });
  mkdirSync(join(rig.folder, 'data'));
  const names = Array.from({ length: 300 }, (_, index) => `${index}.bin`);
  for (const [index, name] of names.entries()) {
    writeFileSync(join(rig.folder, 'data', name), `file ${index}`);
    // Large enough for threads, but sparse on disk.
    if (index < 3) truncateSync(join(rig.folder, 'data', name), 17 * 2 ** 20 + index);
  }
  await untilSettled(join(rig.folder, 'data', names.at(-1) ?? ''));
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
  const cache = StatCache.open(join(rig.folder, 'artifacts'));
  const found = names.map((name) => {
    const path = join(rig.folder, 'data', name);
    return cache.find(path, statSync(path, { bigint: true }));
  });
  const due = names.map((name) => {
    const bytes = readFileSync(join(rig.folder, 'data', name));
    return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  });
  expect(found).toEqual(due);
  expect(await rig.tuneloom('verify')).toEqual({
    exitCode: 0,
    stdout: expect.stringMatching(/^<folder>\/artifacts: 1 file \(.*\), 1 record, 1 run: all sound$/),
    stderr: '',
  });
}, 30_000);
