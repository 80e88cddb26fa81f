import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCliRig } from './rig.ts';
import { tuningStages } from './tuning.ts';

const rows = ['cats purr', 'dogs bark', 'cows moo', 'hens cluck', 'owls hoot', 'bees hum'].map(
  (text, index) => ({
    ...{ id: `r${index}`, text },
  }),
);

test('plot draws the history of a training, a sweep with its params, and says what it lacks', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.json': JSON.stringify(rows),
    'tune.yaml': `name: tune\nparams: { epochs: 1 }\n${tuningStages(`"\${params.epochs}"`)}`,
    'sweep.yaml': 'name: sweep\nextends: tune.yaml\nsweep: { grid: { epochs: [1, 2] } }\n',
  });
  const none = await rig.tuneloom('plot', 'history');
  expect(none).toEqual({
    exitCode: 2,
    stdout: '',
    stderr:
      'error: there is nothing to draw: it takes a training with a history\n  help: `tuneloom runs` lists the runs in <folder>/artifacts',
  });
  expect((await rig.tuneloom('run', 'tune.yaml')).exitCode).toBe(0);
  expect((await rig.tuneloom('run', 'sweep.yaml')).exitCode).toBe(0);

  const wrote = await rig.tuneloom('plot', 'tune.yaml', 'history', '-o', 'losses.svg');
  expect(wrote).toEqual({ exitCode: 0, stdout: 'wrote losses.svg', stderr: '' });
  const svg = await readFile(join(rig.folder, 'losses.svg'), 'utf8');
  expect(svg).toMatch(/^<svg [^>]*role="img"/);
  expect(svg).toContain('<title>Losses of train</title>');

  const { stdout } = await rig.tuneloom('plot', 'tune.yaml', 'history', '--json');
  const [curves] = JSON.parse(stdout).history;
  expect({ name: curves.name, kept: curves.kept_step, steps: curves.loss.length }).toEqual({
    ...{ name: 'train', kept: 2, steps: 2 },
  });

  await rig.tuneloom('plot', 'sweep', '-o', 'sweep.json');
  const spec = JSON.parse(await readFile(join(rig.folder, 'sweep.json'), 'utf8'));
  expect(spec.$schema).toBe('https://vega.github.io/schema/vega-lite/v6.json');
  expect(spec.description).toMatch(/^2 points over epochs, train_loss\. Best by train_loss: epochs=2 with /);
});
