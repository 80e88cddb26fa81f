import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from './rig.ts';

const jsonl = (...rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const project = {
  'package.json': '{}',
  'data/part-1.jsonl': jsonl({ instruction: 'One?', output: 'Yes.' }, { instruction: 'Two?', output: 'No.' }),
  'data/part-2.jsonl': jsonl({ instruction: 'Three?', output: 'No.' }),
  'data/extra.jsonl': jsonl(
    { instruction: 'one? ', output: 'Yes.' },
    { instruction: 'Four?', output: 'Four.' },
  ),
  'p.yaml': `name: p
stages:
  load:
    with:
      records:
        - { name: parts, path: "data/part-*.jsonl" }
        - { name: extra, path: data/extra.jsonl }
  more:
    uses: load
    with: { records: data/extra.jsonl }
  join:
    uses: concat
    from: { all: load, more: more }
    with: { sources: [{ name: all }, { name: more, limit: 1 }] }
  filter:
    from: join
    with: { rules: [{ unique: normalized, fields: [instruction] }] }
  format:
    from: filter
    with: { template: alpaca }
`,
};

/** What would run and why, as \`stage: reason\`. */
const planned = async (rig: CliRig): Promise<string> => (await rig.tuneloom('plan', 'p.yaml')).stdout;

test('sources are mixed, joined and filtered, and nothing runs again until one changes', async () => {
  await using rig = await openCliRig(project);
  const run = await rig.tuneloom('run', 'p.yaml');
  expect([run.exitCode, run.stderr]).toEqual([0, '']);
  expect(run.stdout).toContain('filter: kept 4 of 6 records; dropped 2 by');
  const { stdout } = await rig.tuneloom('show', 'p.yaml', 'filter.dropped', '--json');
  const dropped: readonly Record<string, string>[] = JSON.parse(stdout).content.items;
  expect(dropped.map(({ dataset, duplicate_of: of }) => [dataset, of?.replace(/\/[0-9a-f]+$/, '')])).toEqual([
    ['all/extra', 'all/parts'],
    ['more', 'all/parts'],
  ]);
  expect(await planned(rig)).toContain('nothing would run');
  await rig.write('data/notes.txt', 'not a part');
  expect(await planned(rig)).toContain('nothing would run');
  await rig.write('data/part-3.jsonl', jsonl({ instruction: 'Five?', output: 'Five.' }));
  expect(await planned(rig)).toContain('load    runs: the content of `with.records.0.path` changed');
  await rm(join(rig.folder, 'data/part-3.jsonl'));
  expect(await planned(rig)).toContain('nothing would run');
});

test('a faulty row is found in its file through load, concat and filter', async () => {
  await using rig = await openCliRig(project);
  await rig.write(
    'data/part-2.jsonl',
    jsonl({ instruction: 'Three?', output: 'No.' }, { instruction: 'Six?' }),
  );
  const run = await rig.tuneloom('run', 'p.yaml');
  expect([run.exitCode, run.stdout]).toEqual([
    1,
    expect.stringContaining(
      'data/part-2.jsonl:2 (record all/parts/2e3fb465b4229429): it has no field `output`',
    ),
  ]);
});

test('a pattern that nothing matches is an error before anything runs', async () => {
  await using rig = await openCliRig(project);
  await rig.write('p.yaml', project['p.yaml'].replace('part-*', 'piece-*'));
  const run = await rig.tuneloom('run', 'p.yaml');
  expect([run.exitCode, run.stderr]).toEqual([
    2,
    expect.stringContaining('no file matches `data/piece-*.jsonl`'),
  ]);
});

test('a link among the files of a pattern may not lead out of their folder', async () => {
  await using rig = await openCliRig({
    ...project,
    'secret.jsonl': jsonl({ instruction: 'a', output: 'b' }),
  });
  await symlink('../secret.jsonl', join(rig.folder, 'data/part-9.jsonl'));
  const { exitCode, stderr } = await rig.tuneloom('plan', 'p.yaml');
  expect([exitCode, stderr]).toEqual([
    2,
    expect.stringMatching(/part-9\.jsonl is a link that leads out of its folder, to .*secret\.jsonl/),
  ]);
});
