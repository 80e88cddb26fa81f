import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openExecutorRig, stepsPipeline } from './executor-rig.ts';
import { noSlurm, type SlurmCluster, startSlurm, until } from './slurm-cluster.ts';

const settings = 'executors: { cluster: { kind: slurm, poll: 500ms } }\n';

describe.skipIf(noSlurm !== '')(`a node of Slurm that is gone${noSlurm}`, () => {
  let cluster: SlurmCluster;
  beforeAll(async () => {
    cluster = await startSlurm();
  }, 90_000);
  afterAll(() => cluster?.[Symbol.asyncDispose]());
  const jobs = (): readonly string[] => cluster.ask('squeue', '-h', '-t', 'all', '-o', '%i').split('\n');
  const stateOf = (job: string): string => cluster.ask('squeue', '-h', '-t', 'all', '-j', job, '-o', '%T');

  test('a job whose node is gone starts again when there is one, and goes on from its state', async () => {
    await using rig = await openExecutorRig({ settings, environment: cluster.environment });
    await rig.write('steps.yaml', stepsPipeline(rig.folder, { with: 'milliseconds: 400' }));
    const running = rig.start('run', 'steps.yaml', '--executor', 'cluster');
    await until(() => rig.trace().includes('step 2'));
    const [job = ''] = jobs();
    await cluster.stop('slurmd');
    // The process of the step, the job's and its stage's.
    const own = pidsOf(rig.folder).filter((pid) => pid !== running.pid);
    for (const pid of [...own.map(parentOf), ...own])
      try {
        if (pid > 1 && pid !== running.pid && pid !== process.pid) process.kill(pid, 'SIGKILL');
      } catch {
        // It went with its parent.
      }
    await until(() => stateOf(job) === 'PENDING');
    await cluster.start('slurmd');
    // Slurm lets a job that was put back wait for two minutes.
    cluster.ask('scontrol', 'update', `JobId=${job}`, 'StartTime=now');
    const { exitCode } = await running;
    const starts = rig.trace().filter((line) => line.startsWith('start'));
    expect([exitCode, starts.length, starts[1] !== 'start 0', rig.output('steps/count/text')]).toEqual([
      ...[0, 2, true],
      '10 steps\n',
    ]);
  }, 90_000);
});

/** The processes whose command lines contain a path. */
const pidsOf = (path: string): readonly number[] =>
  execFileSync('pgrep', ['-f', path], { encoding: 'utf8' }).trim().split('\n').map(Number);

const parentOf = (pid: number): number =>
  Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }));
