import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openExecutorRig, stepsPipeline, tuneloomScript } from './executor-rig.ts';
import { noSlurm, type SlurmCluster, startSlurm, until } from './slurm-cluster.ts';
import { noSshd, type SshServer, startSshd } from './ssh-server.ts';

const skipped = noSlurm || noSshd;

describe.skipIf(skipped !== '')(`jobs of a Slurm that another host submits${skipped}`, () => {
  let cluster: SlurmCluster;
  let server: SshServer;
  beforeAll(async () => {
    [cluster, server] = await Promise.all([startSlurm(), startSshd()]);
  }, 90_000);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const open = () =>
    openExecutorRig({
      settings: `executors:
  far:
    kind: slurm
    over: ${server.host}
    ssh_options: ${JSON.stringify(server.options)}
    store: ${join(server.home, 'store')}
    program: SLURM_CONF=${cluster.environment.SLURM_CONF} ${process.execPath} ${tuneloomScript}
    poll: 500ms
`,
    });
  const owners = (): readonly string[] =>
    cluster.ask('squeue', '-h', '-t', 'all', '-o', '%u').split('\n').filter(Boolean);

  test('a stage is a job of the user there; it goes on without the connection and without this run, and is taken up', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder, { with: 'milliseconds: 500' }));
    const first = rig.start('run', 'steps.yaml', '--executor', 'far');
    await until(() => rig.trace().includes('step 1'));
    await server.stop();
    await until(() => rig.trace().includes('step 3'));
    first.kill('SIGKILL');
    await first;
    await server.start();
    const { exitCode } = await rig.start('run', 'steps.yaml', '--executor', 'far');
    expect({
      exitCode,
      owners: owners(),
      starts: rig.trace().filter((line) => line.startsWith('start')),
      output: rig.output('steps/count/text'),
    }).toEqual({ exitCode: 0, owners: [server.user], starts: ['start 0'], output: '10 steps\n' });
  }, 60_000);

  test('Ctrl-C cancels the job there', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder));
    const running = rig.start('run', 'steps.yaml', '--executor', 'far');
    await until(() => rig.trace().includes('step 2'));
    running.kill('SIGINT');
    const { exitCode } = await running;
    await until(() => cluster.ask('squeue', '-h') === '');
    expect([exitCode, rig.trace().includes('step 10')]).toEqual([130, false]);
  }, 60_000);
});
