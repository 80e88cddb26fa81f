import { expect, test } from 'vitest';
import { screenOf, withoutTerminal } from './pseudo-terminal.ts';
import { dataProject, openCliRig } from './rig.ts';
import { screensProject } from './screens-project.ts';

const sweep = `name: grid
extends: data.yaml
sweep: { grid: { length: [32, 64] } }
`;

test('the table of runs has a row for each run and point, with what -p, --set and an edit changed', async () => {
  await using rig = await openCliRig({ ...dataProject, 'grid.yaml': sweep });
  await rig.tuneloom('run', 'data.yaml');
  await rig.tuneloom('run', 'data.yaml', '-p', 'length=32');
  await rig.tuneloom('run', 'data.yaml', '--set', 'stages.collate.with.batch_size=3');
  await rig.tuneloom('run', 'grid.yaml');
  const { experiments, columns } = JSON.parse((await rig.tuneloom('runs', '--json')).stdout);
  expect(columns.map(({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`)).toEqual([
    'param length',
    'field collate.batch_size',
  ]);
  interface Shown {
    readonly pipeline: string;
    readonly point?: string;
    readonly state: string;
    readonly params: { readonly length: number };
    readonly fields: Readonly<Record<string, number>>;
  }
  const shown = experiments.map(({ pipeline, point = '', params, fields, state }: Shown) => [
    ...[pipeline, point, params.length, fields['collate.batch_size'], state],
  ]);
  expect(shown).toEqual([
    ['grid', 'length=32', 32, 2, 'succeeded'],
    ['grid', 'length=64', 64, 2, 'succeeded'],
    ['data', '', 64, 3, 'succeeded'],
    ['data', '', 32, 2, 'succeeded'],
    ['data', '', 64, 2, 'succeeded'],
  ]);
  const lengths = async (...words: string[]) => {
    const { stdout } = await rig.tuneloom('runs', ...words, '--json');
    return JSON.parse(stdout).experiments.map(({ params }: { params: { length: number } }) => params.length);
  };
  expect({
    one: await lengths('grid.yaml'),
    where: await lengths('--where', 'length<64', '--where', 'pipeline=data'),
    sorted: await lengths('--sort', 'length', '-n', '3'),
    reversed: await lengths('--sort', '-length', '-n', '3'),
  }).toEqual({ one: [32, 64], where: [32], sorted: [32, 32, 64], reversed: [64, 64, 64] });
  const mistake = await rig.tuneloom('runs', '--where', 'lenght=3');
  expect({ exitCode: mistake.exitCode, stderr: mistake.stderr }).toEqual({
    exitCode: 2,
    stderr: 'error: no run has `lenght`, which `lenght=3` names\n  help: did you mean `length`?',
  });
  const { stdout } = await rig.tuneloom('runs', 'grid.yaml', '--csv');
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(',').slice(1, 3).join()),
  ).toEqual(['point,pipeline', 'length=32,grid', 'length=64,grid']);
  const markdown = (await rig.tuneloom('runs', 'grid.yaml', '--md')).stdout.split('\n');
  expect(markdown.slice(0, 2)).toEqual([
    '| run | started | length | time | state |',
    '| --- | --- | ---: | --- | --- |',
  ]);
});

test.skipIf(withoutTerminal)(
  'where room is short, the scores of the last evaluation are shown rather than those of the base model',
  async () => {
    await using rig = await openCliRig(screensProject);
    await rig.tuneloom('run', 'pipeline.yaml');
    const { lines } = await screenOf(rig.folder, { words: 'runs', columns: 60 });
    const text = lines.join('\n');
    const [shown = '', left = ''] = text.split('not shown for lack of room');
    expect({
      shown: shown.includes('score_after'),
      left: left.replaceAll(/\s+/g, ' ').includes('score_before.exact_match'),
      ofBase: shown.includes('score_before'),
    }).toEqual({ shown: true, left: true, ofBase: false });
  },
  60_000,
);
