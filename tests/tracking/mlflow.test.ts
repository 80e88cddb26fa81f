import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { openCliRig } from '../cli/rig.ts';
import { hasModule, openMlflowServer, readBack } from './mlflow-server.ts';
import { lossesIn, trackingProject } from './tracking-project.ts';

const isThere = await hasModule('mlflow');
const reason = isThere ? '' : ' (skipped: TUNELOOM_PYTHON has no mlflow)';

test.skipIf(!isThere)(
  `MLflow's client reads params, losses and the points of a sweep, live or later, and nothing twice${reason}`,
  { timeout: 180_000 },
  async () => {
    await using server = await openMlflowServer();
    await using rig = await openCliRig(trackingProject);
    const live = await rig.tuneloom('run', 'tune.yaml', '--track', `mlflow=${server.url}`);
    expect({ exitCode: live.exitCode, stderr: live.stderr }).toEqual({ exitCode: 0, stderr: '' });
    await rig.tuneloom('run', 'sweep.yaml');
    const track = () => rig.tuneloom('track', 'mlflow', '--to', server.url, '--all');
    expect((await track()).stdout).toBe(`2 experiments of 2 runs written to ${server.url}; 1 there already`);
    const read = await readBack('read_mlflow.py', server.url);
    expect((await track()).stdout).toBe(`0 experiments of 2 runs written to ${server.url}; 3 there already`);
    expect(await readBack('read_mlflow.py', server.url)).toEqual(read);

    const history = await rig.tuneloom('show', 'tune.yaml', 'train.history', '--limit', '100', '--json');
    const { steps, evaluations } = lossesIn(history.stdout);
    const [run] = read.tune;
    expect(run).toMatchObject({
      ...{ status: 'FINISHED', parent: null },
      params: { epochs: '2', 'train.epochs': '2', 'train.keep': 'last' },
      metrics: { 'train/loss': steps, 'train/train_loss': evaluations },
    });
    const points = read.sweep.map(
      ({ name, parent, metrics }: { name: string; parent: string | null; metrics: object }) => ({
        ...{ name: name.replace(/^\d{4}-.*/, 'sweep'), isBelow: parent !== null },
        metrics: Object.keys(metrics),
      }),
    );
    const metrics = ['train/gradient_norm', 'train/learning_rate', 'train/loss', 'train/train_loss'];
    expect(points.sort((a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'epochs=1', isBelow: true, metrics },
      { name: 'epochs=2', isBelow: true, metrics },
      { name: 'sweep', isBelow: false, metrics: [] },
    ]);
  },
);

test('a server that is down costs a run one warning, which says how to write it later', async () => {
  await using rig = await openCliRig(trackingProject);
  const { exitCode, stderr } = await rig.tuneloom('run', 'tune.yaml', '--track', 'mlflow=http://127.0.0.1:9');
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(
    /^warning: MLflow has not all of this run: the MLflow server at 127\.0\.0\.1:9 cannot be used: .+; `tuneloom track mlflow <run> --to http:\/\/127\.0\.0\.1:9` writes it later$/,
  );
});

test('a server that answers nonsense, or refuses the token, is named without the token', async () => {
  await using rig = await openCliRig(trackingProject);
  await rig.tuneloom('run', 'tune.yaml', 'load');
  const answers = [
    [200, 'no JSON', 'its answer is not JSON'],
    [401, '{"message":"who are you?"}', 'it answers with status 401: who are you?'],
    [302, '', 'it answers with status 302'],
  ] as const;
  for (const [status, text, because] of answers) {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(status, { location: 'http://localhost:1/' }).end(text);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { exitCode, stderr } = await rig.tuneloomWith(
      { MLFLOW_TRACKING_TOKEN: 'secret-token' },
      ...['track', 'mlflow', '--to', `http://127.0.0.1:${port}`],
    );
    server.close();
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`the MLflow server at 127.0.0.1:${port} cannot be used: ${because}`);
    expect(stderr).not.toContain('secret-token');
    expect(asked).toEqual(['Bearer secret-token']);
  }
});

test.each([
  ['mlflow=ftp://host', '`ftp://host` is no address of an MLflow server'],
  ['mlflow=http://me:word@host', 'the address of an MLflow server holds a password'],
  ['mlflow', 'the address of the MLflow server is missing'],
  ['wandb=x', '--track `wandb=x` names no tool that is known'],
])('--track %s is refused before anything runs', async (given, message) => {
  await using rig = await openCliRig(trackingProject);
  const { exitCode, stdout, stderr } = await rig.tuneloom('run', 'tune.yaml', '--track', given);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('word@');
});
