import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openRemote } from '../../src/remote/index.ts';

test('a folder is read at many places under one signal without a warning of a leak', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tuneloom-folder-'));
  const warnings: string[] = [];
  const note = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', note);
  try {
    await mkdir(join(folder, 'ac'));
    const keys = Array.from({ length: 16 }, (_, index) => index.toString(16).repeat(64));
    for (const key of keys) await writeFile(join(folder, 'ac', key), '{}');
    const remote = await openRemote({
      name: 'team',
      url: folder,
      folder: tmpdir(),
      idleMilliseconds: 9000,
      environment: {},
    });
    const { signal } = new AbortController();
    const read = await Promise.all(
      keys.map(async (key) => {
        const found = await remote.get({ kind: 'record', key }, { signal });
        const chunks: Uint8Array[] = [];
        for await (const chunk of found?.bytes ?? []) chunks.push(chunk);
        return Buffer.concat(chunks).toString();
      }),
    );
    await setImmediate();
    expect([read, warnings]).toEqual([keys.map(() => '{}'), []]);
  } finally {
    process.off('warning', note);
    await rm(folder, { recursive: true });
  }
});
