import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

const prepare = `inputs: { records: records }
outputs: { parts: split, tokens: tokenize }
params: { template: alpaca, test: 0.2 }
stages:
  format: { from: inputs.records, with: { template: "\${params.template}" } }
  split: { from: format, with: { parts: [train: 0.5, test: "\${params.test}", validation: rest] } }
  tokenize: { from: split, with: { encoding: r50k_base } }
`;

const twice = `name: twice
stages:
  load: { with: { records: rows.jsonl } }
  first: { uses: ./parts/prepare.yaml, from: load }
  second: { uses: ./parts/prepare.yaml, from: { records: load }, with: { test: 0.1 } }
  collate:
    from: first.tokens
    with: { batch_size: 2, max_length: 64, train_on: response, shuffle: false }
`;

const files = { ...dataProject, 'parts/prepare.yaml': prepare, 'twice.yaml': twice };

const planned = async (rig: Awaited<ReturnType<typeof openCliRig>>, ...words: string[]) => {
  const { stdout } = await rig.tuneloom('plan', ...words, '--json');
  const { stages } = JSON.parse(stdout) as { stages: { stage: string; decision: string; key?: string }[] };
  return Object.fromEntries(stages.map(({ stage, decision }) => [stage, decision]));
};

test('a sub-pipeline adds a namespace and nothing to a key: its stages share results with those of other files', async () => {
  await using rig = await openCliRig(files);
  expect((await rig.tuneloom('run', 'data.yaml')).exitCode).toBe(0);
  expect(await planned(rig, 'twice.yaml')).toEqual({
    load: 'reuse',
    'first/format': 'reuse',
    'first/split': 'reuse',
    'first/tokenize': 'reuse',
    collate: 'reuse',
    'second/format': 'reuse',
    'second/split': 'run',
    'second/tokenize': 'undecided',
  });
});

test('a sub-pipeline is selected whole by its id, and one of its stages by its full id', async () => {
  await using rig = await openCliRig(files);
  expect(Object.keys(await planned(rig, 'twice.yaml', 'second'))).toEqual([
    'load',
    'second/format',
    'second/split',
    'second/tokenize',
  ]);
  expect(Object.keys(await planned(rig, 'twice.yaml', 'second/format'))).toEqual(['load', 'second/format']);
});

test('results of a sub-pipeline are in its folder, and are shown and explained by their full ids', async () => {
  await using rig = await openCliRig(files);
  expect((await rig.tuneloom('run', 'twice.yaml')).exitCode).toBe(0);
  expect((await readdir(join(rig.folder, 'artifacts/outputs/twice/second'))).sort()).toEqual([
    'format',
    'split',
    'tokenize',
  ]);
  expect((await rig.tuneloom('show', 'twice.yaml', 'second/split.test')).stdout).toBe(
    (await rig.tuneloom('show', 'twice.yaml', 'second.parts.test')).stdout,
  );
  await rig.write('parts/prepare.yaml', prepare.replace('test: 0.2', 'test: 0.3'));
  expect((await rig.tuneloom('explain', 'twice.yaml', 'first/split')).stdout).toMatchInlineSnapshot(`
    "first/split would run: compared with <date> UTC, this differs:

      with.parts.1.test  parts/prepare.yaml:3
        was  0.2
        is   0.3"
  `);
  await rig.write('twice.yaml', twice.replace('test: 0.1', 'test: 0.4'));
  expect((await rig.tuneloom('explain', 'twice.yaml', 'second/split')).stdout).toMatchInlineSnapshot(`
    "second/split would run: compared with <date> UTC, this differs:

      with.parts.1.test  twice.yaml:5
        was  0.1
        is   0.4"
  `);
});

test("--set reaches the stages within, and the lock is the root's alone", async () => {
  await using rig = await openCliRig(files);
  expect((await rig.tuneloom('run', 'twice.yaml')).exitCode).toBe(0);
  const changed = await planned(rig, 'twice.yaml', '--set', 'stages.second/format.with.template=phi3');
  expect(Object.entries(changed).filter(([, decision]) => decision !== 'reuse')).toEqual([
    ['second/format', 'run'],
    ['second/split', 'undecided'],
    ['second/tokenize', 'undecided'],
  ]);
  expect((await readdir(rig.folder)).filter((name) => name.includes('lock'))).toEqual(['twice.lock.yaml']);
  expect(await readdir(join(rig.folder, 'parts'))).toEqual(['prepare.yaml']);
  expect((await rig.tuneloom('run', 'twice.yaml', '--locked')).exitCode).toBe(0);
});
