import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { bundle, openRig, stageProcess } from '../runtime/rig/run-rig.ts';
import type { TinyPipeline } from '../runtime/rig/tiny-dag.ts';
import { type Call, readTrace } from './rig/read-trace.ts';

const traced = spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;
const skipped = traced ? '' : ' (strace is not here, or may not trace)';

const stages: TinyPipeline['stages'] = {
  read: { uses: 'read', with: { path: 'letters.txt' } },
  pack: { uses: 'pack', from: { text: 'read.text' } },
  copy: { uses: 'child-copy', from: { text: 'read.text' } },
};

/** All calls of a run that sync and that give names, in the order in which they ended. */
async function traceRun(): Promise<{
  readonly root: string;
  readonly calls: readonly Call[];
  readonly records: readonly string[];
}> {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const trace = join(rig.folder, 'trace');
  const pipeline: TinyPipeline = { file: join(rig.folder, 'tiny.yaml'), stages };
  const request = JSON.stringify({ pipeline, store: rig.storeRoot, stageProcess: await stageProcess() });
  const watch = [
    '-f',
    '-y',
    '-s',
    '4096',
    '-e',
    'trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat',
    '-o',
    trace,
  ];
  await execa('strace', [...watch, process.execPath, await bundle('run-process.ts'), request]);
  const calls = readTrace(readFileSync(trace, 'utf8')).filter(({ paths }) =>
    paths.some((path) => path.startsWith(rig.storeRoot)),
  );
  const actions = join(rig.storeRoot, 'actions');
  const named = calls.filter(({ kind, paths }) => kind === 'name' && paths[1]?.startsWith(actions));
  const records = named.map(({ paths: [, path = ''] }) => readFileSync(path, 'utf8'));
  return { root: rig.storeRoot, calls, records };
}

test.skipIf(!traced)(
  `a result reaches the disk before its name, its name before the record, and the record before its own name${skipped}`,
  async () => {
    const { root, calls, records } = await traceRun();
    const syncs = (path: string, from: number): number =>
      calls.findIndex(({ kind, paths }, index) => index >= from && kind === 'sync' && paths[0] === path);
    const within = (folder: string) =>
      calls.flatMap(({ kind, paths: [from = '', to = ''] }, at) =>
        kind === 'name' && to.startsWith(join(root, folder)) ? [{ from, to, at }] : [],
      );
    const [blobs, actions] = [within('blobs'), within('actions')];
    // Three texts, of which the box holds one again, its label and its manifest; a record for each stage.
    expect([blobs.length, actions.length]).toEqual([5, 3]);
    for (const { from, to, at } of [...blobs, ...actions]) {
      const written = syncs(from, 0);
      expect({ to, dataBeforeName: written !== -1 && written < at }).toEqual({ to, dataBeforeName: true });
      expect({ to, folderAfterName: syncs(dirname(to), at) > at }).toEqual({ to, folderAfterName: true });
    }
    for (const [index, { at }] of actions.entries()) {
      const digests = [
        ...(records[index] ?? '').matchAll(/"(?:text|box)": "sha256(?:-folder)?:([0-9a-f]{64})"/g),
      ].map(([, hex]) => hex);
      const own = blobs.filter(({ to }) => digests.includes(to.slice(-65).replace('/', '')));
      expect(own.length).toBeGreaterThan(0);
      for (const { to, at: named } of own) {
        const folder = syncs(dirname(to), named);
        // A name that the second of two equal results took may come later; the first had the same bytes.
        const first = blobs.find((other) => other.to === to)?.at ?? named;
        expect({ to, beforeRecord: Math.min(folder, syncs(dirname(to), first)) < at }).toEqual({
          to,
          beforeRecord: true,
        });
      }
    }
  },
);
