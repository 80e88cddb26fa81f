import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

/** Stages that need no model: a seed moves records between parts, a length cuts them. */
const sweep = `name: grid
params: { length: 64, seed: 0 }
sweep:
  grid: { length: [32, 64], seed: [1, 2] }
stages:
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: alpaca } }
  split:
    from: format
    with: { by: hash, seed: "\${params.seed}", parts: [train: 0.5, test: rest] }
  tokenize: { from: split, with: { encoding: r50k_base } }
  collate:
    from: tokenize
    with: { batch_size: 2, max_length: "\${params.length}", train_on: all }
`;

type Rig = Awaited<ReturnType<typeof openCliRig>>;

const planned = async (rig: Rig, ...words: string[]) => {
  const { stdout } = await rig.tuneloom('plan', 'grid.yaml', ...words, '--json');
  const { stages } = JSON.parse(stdout) as { stages: { stage: string; decision: string }[] };
  return stages.map(({ stage, decision }) => `${stage}: ${decision}`);
};

const shared = ['load', 'format'];
const bySeed = ['seed=1/split', 'seed=1/tokenize', 'seed=2/split', 'seed=2/tokenize'];
const points = ['length=32,seed=1', 'length=32,seed=2', 'length=64,seed=1', 'length=64,seed=2'];
const all = [...shared, ...bySeed, ...points.map((point) => `${point}/collate`)].sort();

test('a sweep runs every point once, and the common stages of several points once for all of them', async () => {
  await using rig = await openCliRig({ ...dataProject, 'grid.yaml': sweep });
  const { exitCode, stdout, stderr } = await rig.tuneloom('run', 'grid.yaml', '--jobs', '2');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect([...stdout.matchAll(/^started +(\S+)/gm)].map(([, stage]) => stage).sort()).toEqual(all);
  expect((await planned(rig)).sort()).toEqual(all.map((stage) => `${stage}: reuse`));
  const outputs = join(rig.folder, 'artifacts/outputs/grid');
  expect((await readdir(outputs)).sort()).toEqual([...shared, ...points, 'seed=1', 'seed=2'].sort());
});

test('a point has the key of the same params given by hand, and the lock has the sources alone', async () => {
  await using rig = await openCliRig({ ...dataProject, 'grid.yaml': sweep });
  await rig.tuneloom('run', 'grid.yaml');
  expect(await readFile(join(rig.folder, 'grid.lock.yaml'), 'utf8')).toMatch(/^stages: \{\}$/m);
  expect((await rig.tuneloom('run', 'grid.yaml', '--locked')).exitCode).toBe(0);
  await rig.write('grid.yaml', sweep.replace(/sweep:\n.*\n/, ''));
  expect(await planned(rig, '-p', 'length=32', '-p', 'seed=2')).toEqual(
    ['load', 'format', 'split', 'tokenize', 'collate'].map((stage) => `${stage}: reuse`),
  );
});

test('-p of a swept param chooses points, whose stages keep their names', async () => {
  await using rig = await openCliRig({ ...dataProject, 'grid.yaml': sweep });
  await rig.tuneloom('run', 'grid.yaml', '-p', 'seed=1');
  const ofSeed = ['seed=1/split', 'seed=1/tokenize', 'length=32,seed=1/collate', 'length=64,seed=1/collate'];
  const ran = [...shared, ...ofSeed];
  expect((await planned(rig, '-p', 'seed=1')).sort()).toEqual(ran.map((stage) => `${stage}: reuse`).sort());
  const reused = (await planned(rig)).filter((each) => each.endsWith(': reuse'));
  expect(reused.sort()).toEqual(ran.map((stage) => `${stage}: reuse`).sort());
  expect((await rig.tuneloom('plan', 'grid.yaml', '-p', 'seed=3')).exitCode).toBe(2);
});

test('points and stages are selected and explained by their names', async () => {
  await using rig = await openCliRig({ ...dataProject, 'grid.yaml': sweep });
  await rig.tuneloom('run', 'grid.yaml');
  const names = async (...words: string[]) =>
    (await planned(rig, ...words)).map((each) => each.split(':')[0]);
  expect((await names('split')).sort()).toEqual([...shared, 'seed=1/split', 'seed=2/split'].sort());
  expect(await names('length=32,seed=2')).toEqual([
    ...shared,
    'seed=2/split',
    'seed=2/tokenize',
    'length=32,seed=2/collate',
  ]);
  await rig.write('grid.yaml', sweep.replace('[32, 64]', '[48, 64]'));
  expect(
    (await rig.tuneloom('explain', 'grid.yaml', 'length=48,seed=1/collate')).stdout,
  ).toMatchInlineSnapshot(`
    "length=48,seed=1/collate would run: it has not run before; compared with \`length=32,seed=1/collate\` of <date> UTC, this differs:

      with.max_length  grid.yaml:4
        was  32
        is   48"
  `);
  expect((await rig.tuneloom('explain', 'grid.yaml', 'collate')).stderr).toMatchInlineSnapshot(`
    "error[several-stages] \`collate\` stands for 4 stages, and one is explained at a time
      help: name one of \`length=48,seed=1/collate\`, \`length=48,seed=2/collate\`, \`length=64,seed=1/collate\` and \`length=64,seed=2/collate\`
    1 error. Nothing ran."
  `);
  expect((await rig.tuneloom('show', 'grid.yaml', 'length=64,seed=1/collate.train')).exitCode).toBe(0);
});

test('a point of a list leaves other params at their values', async () => {
  const list = sweep.replace(
    '  grid: { length: [32, 64], seed: [1, 2] }',
    '  - { length: 32 }\n  - { seed: 7 }',
  );
  await using rig = await openCliRig({ ...dataProject, 'grid.yaml': list });
  expect((await planned(rig)).map((each) => each.split(':')[0]).sort()).toEqual(
    [
      ...shared,
      ...['split', 'tokenize', 'collate'].flatMap((stage) => [`length=32/${stage}`, `seed=7/${stage}`]),
    ].sort(),
  );
});
