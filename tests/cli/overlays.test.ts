import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

const overlay = `extends: ../data.yaml
params: { length: 32 }
stages:
  format: { with: { template: phi3 } }
  collate: null
`;

const planned = async (rig: Awaited<ReturnType<typeof openCliRig>>, ...words: string[]) => {
  const { stdout, stderr } = await rig.tuneloom('plan', ...words, '--json');
  const { stages } = JSON.parse(stdout || stderr) as { stages: { stage: string; decision: string }[] };
  return Object.fromEntries(stages.map(({ stage, decision }) => [stage, decision]));
};

test('an overlay runs what it changes, reuses the rest from the file that it extends, and has its own lock', async () => {
  await using rig = await openCliRig({ ...dataProject, 'over/phi3.yaml': overlay });
  expect((await rig.tuneloom('run', 'data.yaml')).exitCode).toBe(0);
  expect(await planned(rig, 'over/phi3.yaml')).toEqual({
    load: 'reuse',
    format: 'run',
    split: 'undecided',
    tokenize: 'undecided',
  });
  expect((await rig.tuneloom('run', 'over/phi3.yaml')).exitCode).toBe(0);
  expect(await readdir(`${rig.folder}/over`)).toEqual(['phi3.lock.yaml', 'phi3.yaml']);
  expect((await readdir(`${rig.folder}/artifacts/outputs`)).sort()).toEqual(['data', 'phi3']);
  expect((await rig.tuneloom('run', 'over/phi3.yaml', '--locked')).exitCode).toBe(0);
  expect((await rig.tuneloom('graph', 'over/phi3.yaml')).stdout).toContain('phi3: 4 stages');
});

test('explain points at the file with the changed value', async () => {
  await using rig = await openCliRig({ ...dataProject, 'over/phi3.yaml': overlay });
  expect((await rig.tuneloom('run', 'over/phi3.yaml')).exitCode).toBe(0);
  await rig.write('over/phi3.yaml', overlay.replace('phi3', 'alpaca-stanford'));
  expect((await rig.tuneloom('explain', 'over/phi3.yaml', 'format')).stdout).toMatchInlineSnapshot(`
    "format would run: compared with <date> UTC, this differs:

      with.template  over/phi3.yaml:4
        was  phi3
        is   alpaca-stanford"
  `);
  await rig.write('over/phi3.yaml', overlay);
  await rig.write('data.yaml', dataProject['data.yaml'].replace('train: 0.5', 'train: 0.6'));
  expect((await rig.tuneloom('explain', 'over/phi3.yaml', 'split')).stdout).toMatchInlineSnapshot(`
    "split would run: compared with <date> UTC, this differs:

      with.parts.0.train  data.yaml:12
        was  0.5
        is   0.6"
  `);
  await rig.write('over/phi3.yaml', overlay.replace('  collate: null\n', ''));
  expect((await rig.tuneloom('run', 'over/phi3.yaml')).exitCode).toBe(0);
  await rig.write('over/phi3.yaml', overlay.replace('  collate: null\n', '').replace('32', '16'));
  expect((await rig.tuneloom('explain', 'over/phi3.yaml', 'collate')).stdout).toMatchInlineSnapshot(`
    "collate would run: compared with <date> UTC, this differs:

      with.max_length  over/phi3.yaml:2
        was  32
        is   16"
  `);
});

test('-p and --set apply last; of several files, later ones override earlier ones', async () => {
  await using rig = await openCliRig({
    ...dataProject,
    'a.yaml': 'params: { length: 32 }\nstages: { format: { with: { template: phi3 } } }\n',
    'b.yaml': 'params: { length: 16 }\n',
    'all.yaml': 'extends: [data.yaml, a.yaml, b.yaml]\n',
    'same.yaml':
      'stages: { format: { with: { template: phi3 } } }\nparams: { length: 16 }\nextends: data.yaml\n',
  });
  expect((await rig.tuneloom('run', 'all.yaml')).exitCode).toBe(0);
  const reused = ['load', 'format', 'split', 'tokenize', 'collate'].map((stage) => [stage, 'reuse']);
  expect(await planned(rig, 'same.yaml')).toEqual(Object.fromEntries(reused));
  const more = ['-p', 'length=64', '--set', 'stages.format.with.template=alpaca'];
  expect((await rig.tuneloom('run', 'data.yaml')).exitCode).toBe(0);
  expect(await planned(rig, 'all.yaml', ...more)).toEqual(Object.fromEntries(reused));
});
