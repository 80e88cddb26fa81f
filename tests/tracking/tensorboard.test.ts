import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCliRig } from '../cli/rig.ts';
import { hasModule, readBack } from './mlflow-server.ts';
import { lossesIn, trackingProject } from './tracking-project.ts';

const isThere = await hasModule('tensorboard');
const reason = isThere ? '' : ' (skipped: TUNELOOM_PYTHON has no tensorboard)';

const rounded = (points: readonly (readonly [number, ...number[]])[]) =>
  points.map((point) => [point[0], Math.fround(point.at(-1) ?? 0)]);

const filesBelow = async (folder: string) =>
  (await readdir(folder, { recursive: true })).filter((name) => name.includes('tfevents')).sort();

test.skipIf(!isThere)(
  `TensorBoard reads the losses, samples and hyperparameters of a run${reason}`,
  async () => {
    await using rig = await openCliRig(trackingProject);
    await rig.tuneloom('run', 'tune.yaml');
    const tracked = await rig.tuneloom('track', 'tensorboard', '--to', 'tb');
    expect(tracked).toEqual({
      exitCode: 0,
      stdout: '1 experiment of 1 run written to tb\ntensorboard --logdir tb shows them',
      stderr: '',
    });
    const history = await rig.tuneloom('show', 'tune.yaml', 'train.history', '--limit', '100', '--json');
    const { steps, evaluations } = lossesIn(history.stdout);
    const read = await readBack('read_tensorboard.py', join(rig.folder, 'tb'));
    const [[name = '', run] = []] = Object.entries<ReturnType<typeof JSON.parse>>(read);
    expect(name).toMatch(/^tune\//);
    expect(Object.keys(run.scalars)).toEqual([
      ...['train/gradient_norm', 'train/learning_rate', 'train/loss', 'train/train_loss'],
    ]);
    expect(rounded(run.scalars['train/loss'])).toEqual(rounded(steps));
    expect(rounded(run.scalars['train/train_loss'])).toEqual(rounded(evaluations));
    expect(run.texts['train/sample'].map(([step]: [number]) => step)).toEqual([2, 4]);
    expect(run.hyperparameters).toMatchObject({
      epochs: 2,
      'train.epochs': 2,
      'train.keep': 'last',
      '(status)': 1,
    });
  },
);

test.skipIf(!isThere)(
  `the points of a sweep are runs of their own, and writing again changes nothing${reason}`,
  async () => {
    await using rig = await openCliRig(trackingProject);
    await rig.tuneloom('run', 'sweep.yaml');
    const write = () => rig.tuneloom('track', 'tensorboard', '--to', 'tb');
    const contents = async () =>
      await Promise.all(
        (await filesBelow(join(rig.folder, 'tb'))).map(async (file) => [
          file,
          await readFile(join(rig.folder, 'tb', file), 'hex'),
        ]),
      );
    await write();
    const first = await contents();
    await write();
    expect(await contents()).toEqual(first);
    const read = await readBack('read_tensorboard.py', join(rig.folder, 'tb'));
    const counts = Object.entries<ReturnType<typeof JSON.parse>>(read).map(([name, { scalars }]) => [
      name.split('/').at(-1),
      scalars['train/loss'].length,
    ]);
    expect(counts).toEqual([
      ['epochs=1', 2],
      ['epochs=2', 4],
    ]);
  },
);

test.skipIf(!isThere)(
  `a run that TensorBoard follows ends with the same figures as one that is tracked later${reason}`,
  async () => {
    await using rig = await openCliRig(trackingProject);
    const { exitCode, stderr } = await rig.tuneloom('run', 'tune.yaml', '--track', 'tensorboard=live');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    await rig.tuneloom('track', 'tensorboard', '--to', 'later');
    const [live, later] = await Promise.all(
      ['live', 'later'].map((folder) => readBack('read_tensorboard.py', join(rig.folder, folder))),
    );
    expect(live).toEqual(later);
    expect(await filesBelow(join(rig.folder, 'live'))).toEqual(await filesBelow(join(rig.folder, 'later')));
  },
);
