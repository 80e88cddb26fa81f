import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPipeline } from '../../../src/runtime/execute/run-pipeline.ts';
import { decisions, openRig, type RunRig, stageProcess } from '../rig/run-rig.ts';
import type { TinyPipeline } from '../rig/tiny-dag.ts';

const stages = (suffix = '!'): TinyPipeline['stages'] => ({
  read: { uses: 'read', with: { path: 'letters.txt' } },
  append: { uses: 'append', with: { suffix }, from: { text: 'read.text' } },
});

const lockPath = (rig: RunRig): string => join(rig.folder, 'tiny.lock.yaml');
const lockLines = (rig: RunRig): readonly string[] =>
  readFileSync(lockPath(rig), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/"[0-9a-f]{64}"/, '"<key>"').replaceAll(/sha256:[0-9a-f]{60}/g, 'sha256:…'));

// The ends of `printf abc | sha256sum` and of `abc!`.
test('a successful run writes a line for each source and each stage', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(stages()));
  expect(lockLines(rig)).toEqual([
    '# Written by tuneloom when a run succeeds. Commit it; tuneloom does the editing.',
    'format: 1',
    'sources:',
    '  "letters.txt": "sha256:…15ad"',
    'stages:',
    '  "append": {"key":"<key>","outputs":{"text":"sha256:…6b76"}}',
    '  "read": {"key":"<key>","outputs":{"text":"sha256:…15ad"}}',
  ]);
});

test('a run that changes nothing does not write the lock file', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(stages()));
  const before = statSync(lockPath(rig), { bigint: true });
  await rig.run(rig.dag(stages()));
  const after = statSync(lockPath(rig), { bigint: true });
  expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
});

test('a failed run writes no lock', async () => {
  await using rig = await openRig();
  await rig.run(rig.dag({ act: { uses: 'misbehave', with: { act: 'bug' } } }));
  expect(existsSync(lockPath(rig))).toBe(false);
});

test('a run with overrides writes sources only', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(stages(), { overridden: true }));
  expect(lockLines(rig).slice(2)).toEqual(['sources:', '  "letters.txt": "sha256:…15ad"', 'stages: {}']);
  await rig.run(rig.dag(stages()));
  const before = lockLines(rig);
  await rig.run(rig.dag(stages('?'), { overridden: true }));
  expect(lockLines(rig)).toEqual(before);
});

test('a run of some stages leaves the lines of the others, and drops those that the pipeline no longer has', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag({ ...stages(), gone: { uses: 'count', from: { text: 'read.text' } } }));
  const before = lockLines(rig);
  await rig.run(rig.dag(stages('?')), { targets: ['read'] });
  expect(lockLines(rig)).toEqual(before.filter((line) => !line.includes('gone')));
});

test('a locked run refuses what is not as the lock says, and runs what is', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  const run = async (suffix?: string) => {
    const store = rig.open();
    const result = await runPipeline({
      dag: rig.dag(stages(suffix)),
      store,
      stageProcess: await stageProcess(),
      locked: true,
    });
    return result.ok
      ? result.value.outcome
      : result.error.map(({ message, span }) => [message, span?.file.text]);
  };
  expect(await run()).toEqual([['the pipeline tiny has no lock', undefined]]);
  await rig.run(rig.dag(stages()));
  expect(await run()).toBe('succeeded');
  expect(await run('?')).toEqual([['stage `append` is not what the lock says', 'append']]);
  await rig.write('letters.txt', 'abd');
  expect(await run()).toEqual([['`letters.txt` is not the file that the lock names', 'read/path']]);
});

test('a clone with its lock and a shared store has nothing to do', async () => {
  await using rig = await openRig();
  await using clone = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(stages()));
  await clone.write('letters.txt', 'abc');
  writeFileSync(lockPath(clone), readFileSync(lockPath(rig)));
  const result = await clone.run(clone.dag(stages()), { store: rig.open(), locked: true });
  expect(decisions(result)).toEqual({ read: 'reused', append: 'reused' });
});

test('a damaged lock is an error at its line, before anything runs', async () => {
  await using rig = await openRig();
  await rig.write('letters.txt', 'abc');
  await rig.run(rig.dag(stages()));
  rmSync(join(rig.storeRoot), { recursive: true });
  const text = `${readFileSync(lockPath(rig), 'utf8')}<<<<<<< HEAD\n`;
  writeFileSync(lockPath(rig), text);
  const store = rig.open();
  const result = await runPipeline({ dag: rig.dag(stages()), store, stageProcess: await stageProcess() });
  const [error] = result.ok ? [] : result.error;
  expect(error).toMatchObject({
    code: 'damaged-lock',
    message: 'the lock tiny.lock.yaml holds a line that tuneloom does not write',
    span: { start: text.indexOf('<<<'), end: text.length - 1 },
  });
  expect(existsSync(rig.storeRoot)).toBe(false);
});
