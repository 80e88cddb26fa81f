import { expect, test } from 'vitest';
import { openShippedRig } from './shipped-pipeline.ts';

test('the sweep that ships tunes at four points, makes the data once, and ends in a table of scores', async () => {
  await using rig = await openShippedRig();
  const { exitCode, stdout, stderr } = await rig.run('sweep', 'after');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const started = [...stdout.matchAll(/^started +(\S+)/gm)].map(([, stage = '']) => stage);
  expect(started.filter((stage) => stage.endsWith('/train'))).toHaveLength(4);
  expect(started.filter((stage) => !stage.includes('/')).sort()).toEqual(
    ['base', 'collate', 'format', 'questions', 'split', 'tokenize'].sort(),
  );
  const table = stdout.split('\n').slice(stdout.split('\n').indexOf('Scores') + 1);
  expect(table.slice(0, 5).map((line) => line.trim().split(/ {2,}/).slice(0, 2))).toEqual([
    ['epochs', 'learning_rate'],
    ['1', '0.0002'],
    ['1', '0.001'],
    ['2', '0.0002'],
    ['2', '0.001'],
  ]);
}, 120_000);
