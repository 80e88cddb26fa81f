import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

test('init writes a project whose pipeline can be planned', async () => {
  await using rig = await openCliRig();
  expect(await rig.retune('init', 'my-project')).toMatchInlineSnapshot();
  const names = await readdir(join(rig.folder, 'my-project'), { recursive: true });
  expect(names.sort()).toEqual([
    '.gitignore',
    'README.md',
    'data',
    'data/instructions.jsonl',
    'pipeline.schema.json',
    'pipeline.yaml',
  ]);
  const plan = await rig.retune('plan', 'my-project/pipeline.yaml', '--json');
  expect([plan.exitCode, JSON.parse(plan.stdout).stages.length]).toEqual([0, 11]);
});

test('init overwrites nothing', async () => {
  await using rig = await openCliRig({ 'pipeline.yaml': 'mine', 'README.md': 'mine too' });
  const refused = await rig.retune('init');
  expect([refused.exitCode, await readdir(rig.folder)]).toEqual([2, ['README.md', 'pipeline.yaml']]);
  await rig.retune('init', 'other');
  expect(await readFile(join(rig.folder, 'README.md'), 'utf8')).toBe('mine too');
});

test('schema prints a JSON Schema, of pipelines or of one stage', async () => {
  await using rig = await openCliRig();
  const [all, split, unknown] = [
    await rig.retune('schema'),
    await rig.retune('schema', 'split'),
    await rig.retune('schema', 'splti'),
  ];
  expect([JSON.parse(all.stdout).title, JSON.parse(split.stdout).title, unknown.exitCode]).toEqual([
    'retune pipeline',
    'split',
    2,
  ]);
});

test('graph draws the pipeline as text, Mermaid and Graphviz', async () => {
  await using rig = await openCliRig(dataProject);
  expect((await rig.retune('graph')).stdout).toMatchInlineSnapshot();
  expect((await rig.retune('graph', '--format', 'mermaid')).stdout).toMatchInlineSnapshot();
  expect(JSON.parse((await rig.retune('graph', '--json')).stdout).edges).toHaveLength(4);
});

test('runs lists past runs, and shows one of them', async () => {
  await using rig = await openCliRig(dataProject);
  expect((await rig.retune('runs')).stdout).toMatchInlineSnapshot();
  await rig.retune('run');
  await rig.retune('run', '-p', 'length=32');
  expect((await rig.retune('runs')).stdout).toMatchInlineSnapshot();
  expect((await rig.retune('runs', 'latest')).stdout).toMatchInlineSnapshot();
  expect(JSON.parse((await rig.retune('runs', '--json')).stdout).runs).toHaveLength(2);
});

test('verify ends with 4 where a stored file is not what its digest says', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.retune('run');
  expect((await rig.retune('verify')).exitCode).toBe(0);
});

test('doctor finds a backend that computes', async () => {
  await using rig = await openCliRig();
  const { findings } = JSON.parse((await rig.retune('doctor', '--json')).stdout);
  expect(findings.map(({ subject }: { subject: string }) => subject)).toEqual([
    'node',
    'system',
    'processors',
    'memory',
    'backend onnx',
    'backend cpu',
    'backend tensorflow',
    'store',
  ]);
  expect(findings.find(({ subject }: { subject: string }) => subject === 'backend onnx').state).toBe('good');
});
