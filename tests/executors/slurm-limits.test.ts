import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openExecutorRig, stepsPipeline } from './executor-rig.ts';
import { noSlurm, type SlurmCluster, startSlurm } from './slurm-cluster.ts';

const settings = 'executors: { cluster: { kind: slurm, poll: 500ms } }\n';

// Slurm's shortest time limit is a minute, so both jobs run at once.
describe.skipIf(noSlurm !== '')(`jobs that Slurm ends at a limit${noSlurm}`, () => {
  let cluster: SlurmCluster;
  beforeAll(async () => {
    cluster = await startSlurm();
  }, 90_000);
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  test('a job that takes too much memory, and one that takes too long, say what to raise, and the second keeps its state', async () => {
    const environment = cluster.environment;
    await using large = await openExecutorRig({ settings, environment });
    await using long = await openExecutorRig({ settings, environment });
    await large.write(
      'steps.yaml',
      stepsPipeline(large.folder, {
        with: 'megabytes: 100, milliseconds: 1000',
        beside: 'resources: { memory: 300MiB, threads: 1 }',
      }),
    );
    await long.write(
      'steps.yaml',
      stepsPipeline(long.folder, {
        with: 'milliseconds: 20000',
        beside: 'resources: { time: 1m, memory: 500MiB, threads: 1 }',
      }),
    );
    const ends = await Promise.all(
      [large, long].map((rig) => rig.start('run', 'steps.yaml', '--executor', 'cluster', '--json')),
    );
    const failures = ends.map(({ stdout, exitCode }) => {
      const events = stdout.split('\n').map((line) => JSON.parse(line));
      const { failure } = events.find(({ type }) => type === 'stage-failed');
      return { exitCode, ...failure, message: failure.message.replace(/job \d+/, 'job N') };
    });
    expect(failures).toEqual([
      {
        exitCode: 1,
        kind: 'stage-error',
        code: 'job-memory',
        message: 'Slurm job N took more memory than it has',
        help: 'raise `resources: { memory }` of the stage',
      },
      {
        exitCode: 1,
        kind: 'stage-error',
        code: 'job-time-limit',
        message: 'Slurm job N reached its time limit',
        help: 'raise `resources: { time }` of the stage; it goes on from its state with the next run',
      },
    ]);
    const steps = Number(long.trace().at(-1)?.replace('step ', ''));
    await long.write('steps.yaml', stepsPipeline(long.folder, { with: 'milliseconds: 1' }));
    await long.start('run', 'steps.yaml', '--executor', 'cluster');
    expect(long.trace().filter((line) => line.startsWith('start'))).toEqual(['start 0', `start ${steps}`]);
  }, 150_000);
});
