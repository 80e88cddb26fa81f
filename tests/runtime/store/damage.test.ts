import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunResult } from '../../../src/runtime/execute/run-context.ts';
import { parseDigest } from '../../../src/runtime/key/digest.ts';
import { actionPath, blobPath } from '../../../src/runtime/store/store-layout.ts';
import { temporaryPath } from '../../../src/runtime/store/temporary.ts';
import { verifyStore } from '../../../src/runtime/store/verify-store.ts';
import { decisions, openRig, outputsOf, type RunRig } from '../rig/run-rig.ts';
import type { TinyPipeline } from '../rig/tiny-dag.ts';

const stages: TinyPipeline['stages'] = {
  read: { uses: 'read', with: { path: 'letters.txt' } },
  pack: { uses: 'pack', from: { text: 'read.text' } },
  unpack: { uses: 'unpack', from: { box: 'pack.box' } },
};

async function filled(): Promise<{ rig: RunRig; result: RunResult }> {
  const rig = await openRig();
  await rig.write('letters.txt', 'abc');
  return { rig, result: await rig.run(rig.dag(stages)) };
}

/** The file that holds a stage's output, for a folder its manifest. */
function blobOf(rig: RunRig, result: RunResult, output: string): string {
  const [stage = '', port = ''] = output.split('.');
  const outcome = result.stages.get(stage);
  const digest =
    outcome !== undefined && 'outputs' in outcome ? parseDigest(outcome.outputs[port]) : undefined;
  if (digest === undefined) throw new Error(`no ${output}`);
  return join(rig.storeRoot, blobPath(digest));
}

function recordOf(rig: RunRig, result: RunResult, stage: string): string {
  const outcome = result.stages.get(stage);
  if (outcome === undefined || !('key' in outcome)) throw new Error(`no record of ${stage}`);
  return join(rig.storeRoot, actionPath(outcome.key));
}

function overwrite(path: string, text: string): void {
  chmodSync(path, 0o644);
  writeFileSync(path, text);
}

// `abc` for three outputs, `box`, and the folder's manifest of 10 + 117 + 1 + 112 + 2 bytes.
test('an intact store has no problems and its contents are counted', async () => {
  const { rig } = await filled();
  await using _ = rig;
  expect(await verifyStore(rig.open())).toEqual({
    ...{ blobs: 3, bytes: 248, remote: 0, records: 3, runs: 1, problems: [] },
  });
});

test('a damaged output is noticed and computed again', async () => {
  const { rig, result } = await filled();
  await using _ = rig;
  overwrite(blobOf(rig, result, 'read.text'), 'abd');
  const again = await rig.run(rig.dag(stages));
  expect(decisions(again)).toEqual({ read: 'ran', pack: 'reused', unpack: 'reused' });
  expect(again.stages.get('read')).toMatchObject({ reason: 'its output `text` is damaged in the store' });
  expect(outputsOf(again)).toEqual(outputsOf(result));
  expect((await verifyStore(rig.open())).problems).toEqual([]);
});

test('a lost file of a folder is noticed and computed again', async () => {
  const { rig, result } = await filled();
  await using _ = rig;
  const manifest: { files: { path: string; digest: string }[] } = JSON.parse(
    readFileSync(blobOf(rig, result, 'pack.box'), 'utf8'),
  );
  expect(manifest.files.map(({ path }) => path)).toEqual(['inner/text.txt', 'label.txt']);
  const label = parseDigest(manifest.files[1]?.digest);
  rmSync(join(rig.storeRoot, label === undefined ? 'none' : blobPath(label)));
  expect(await rig.plan(rig.dag(stages))).toEqual({
    read: 'reuse',
    pack: 'its output `box` is no longer in the store',
    unpack: 'waits for pack',
  });
  expect(decisions(await rig.run(rig.dag(stages)))).toEqual({
    read: 'reused',
    pack: 'ran',
    unpack: 'reused',
  });
  expect((await verifyStore(rig.open())).problems).toEqual([]);
});

for (const [what, text] of [
  ['torn', '{"format": 1, "key"'],
  ['no record', '[]'],
  ['the record of another key', '{"format":1,"key":"00","material":{},"outputs":{},"provenance":{}}'],
] as const) {
  test(`a record that is ${what} is not used, and computed again`, async () => {
    const { rig, result } = await filled();
    await using _ = rig;
    const record = recordOf(rig, result, 'pack');
    overwrite(record, text);
    expect((await rig.plan(rig.dag(stages))).pack).toMatch(/^its record actions\/.*\.json cannot be read$/);
    expect(decisions(await rig.run(rig.dag(stages)))).toEqual({
      read: 'reused',
      pack: 'ran',
      unpack: 'reused',
    });
    expect((await verifyStore(rig.open())).problems).toEqual([]);
  });
}

test('a record whose material was changed is not used', async () => {
  const { rig, result } = await filled();
  await using _ = rig;
  const record = recordOf(rig, result, 'pack');
  overwrite(record, readFileSync(record, 'utf8').replace('"version": 1', '"version": 2'));
  expect((await rig.plan(rig.dag(stages))).pack).toMatch(/cannot be read$/);
});

test('bytes that change behind an unchanged size and time are found by verify, and by every run after it', async () => {
  const { rig, result } = await filled();
  await using _ = rig;
  const blob = blobOf(rig, result, 'read.text');
  const { atime, mtime } = statSync(blob);
  overwrite(blob, 'xyz');
  utimesSync(blob, atime, mtime);
  const { problems } = await verifyStore(rig.open());
  expect(problems.map(({ kind }) => kind)).toEqual([
    'damaged-blob',
    'lost-output',
    'lost-output',
    'lost-output',
  ]);
  expect(decisions(await rig.run(rig.dag(stages)))).toMatchObject({ read: 'ran' });
});

test('what is neither blob nor record is reported', async () => {
  const { rig } = await filled();
  await using _ = rig;
  await rig.write('store/blobs/sha256/stray', 'x');
  await rig.write('store/runs/torn.json', '{');
  expect((await verifyStore(rig.open())).problems).toEqual([
    { kind: 'misplaced-file', path: 'blobs/sha256/stray', message: 'is no blob' },
    { kind: 'unreadable-run', path: 'runs/torn.json', message: 'is not the record of a run' },
  ]);
});

test('outputs and the stat cache can be deleted: nothing runs again', async () => {
  const { rig } = await filled();
  await using _ = rig;
  rmSync(join(rig.storeRoot, 'outputs'), { recursive: true });
  rmSync(join(rig.storeRoot, 'stat-cache.bin'));
  expect(decisions(await rig.run(rig.dag(stages)))).toEqual({
    read: 'reused',
    pack: 'reused',
    unpack: 'reused',
  });
  expect(readFileSync(join(rig.storeRoot, 'outputs/tiny/unpack/text'), 'utf8')).toBe('abc');
  expect(readFileSync(join(rig.storeRoot, 'outputs/tiny/pack/box/inner/text.txt'), 'utf8')).toBe('abc');
});

test('blobs are read-only, and no temporary file is left', async () => {
  const { rig, result } = await filled();
  await using _ = rig;
  expect(statSync(blobOf(rig, result, 'read.text')).mode & 0o777).toBe(0o444);
  expect(readdirSync(join(rig.storeRoot, 'tmp'))).toEqual([]);
  expect(existsSync(join(rig.storeRoot, 'state')) ? readdirSync(join(rig.storeRoot, 'state')) : []).toEqual(
    [],
  );
});

test('a run removes what a process left half-written when it died, and nothing of one that is alive, however old', async () => {
  const { rig } = await filled();
  await using _ = rig;
  const mine = basename(await temporaryPath(rig.storeRoot));
  const [, start = '', ...machine] = mine.split('-');
  const names = {
    dead: [process.pid, `${Number(start) + 1}`, ...machine].join('-'),
    alive: mine,
    elsewhere: [process.pid, start, machine[0], '00000000', 'x'].join('-'),
  };
  const dayBefore = new Date(Date.now() - 25 * 60 * 60 * 1000);
  for (const name of Object.values(names)) {
    const path = await rig.write(`store/tmp/${name}`, 'x');
    utimesSync(path, dayBefore, dayBefore);
  }
  await rig.run(rig.dag(stages));
  expect(readdirSync(join(rig.storeRoot, 'tmp')).sort()).toEqual([names.alive, names.elsewhere].sort());
});
