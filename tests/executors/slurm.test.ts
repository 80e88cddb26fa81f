import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeJobFile } from '../../src/runtime/index.ts';
import { type ExecutorRig, openExecutorRig, stepsPipeline } from './executor-rig.ts';
import { noSlurm, type SlurmCluster, startSlurm, until } from './slurm-cluster.ts';

const settings = `executors:
  cluster: { kind: slurm, partition: work, poll: 500ms }
  wrong: { kind: slurm, partition: nowhere }
`;

describe.skipIf(noSlurm !== '')(`stages as jobs of a real Slurm${noSlurm}`, () => {
  let cluster: SlurmCluster;
  beforeAll(async () => {
    cluster = await startSlurm();
  }, 90_000);
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const open = (): Promise<ExecutorRig> => openExecutorRig({ settings, environment: cluster.environment });
  /** The numbers of all jobs that Slurm remembers. */
  const jobs = (): readonly string[] =>
    cluster.ask('squeue', '-h', '-t', 'all', '-o', '%i').split('\n').filter(Boolean);
  const stateOf = (job: string): string => cluster.ask('squeue', '-h', '-t', 'all', '-j', job, '-o', '%T');
  const newJob = async (before: readonly string[]): Promise<string> => {
    await until(() => jobs().length > before.length);
    return jobs().find((job) => !before.includes(job)) ?? '';
  };

  /** Slurm lets a job that was put back wait for two minutes. */
  const startRequeued = async (job: string): Promise<void> => {
    await until(() => stateOf(job) === 'PENDING');
    cluster.ask('scontrol', 'update', `JobId=${job}`, 'StartTime=now');
  };

  test('a stage gets what its resources say, its events and log arrive, and its result is that of this machine', async () => {
    await using rig = await open();
    await rig.write(
      'steps.yaml',
      stepsPipeline(rig.folder, { beside: 'resources: { threads: 2, memory: 700MiB, gpus: 1, time: 3h }' }),
    );
    const before = jobs();
    const running = rig.start('run', 'steps.yaml', '--executor', 'cluster', '--json');
    const job = await newJob(before);
    const shown = cluster.ask('scontrol', 'show', 'job', '-o', job);
    const { stdout, exitCode } = await running;
    const events = stdout.split('\n').map((line) => JSON.parse(line));
    await until(() => stateOf(job) !== 'COMPLETING');
    expect({
      exitCode,
      cpus: /NumCPUs=(\S+)/.exec(shown)?.[1],
      memory: /MinMemoryNode=(\S+)/.exec(shown)?.[1],
      time: /TimeLimit=(\S+)/.exec(shown)?.[1],
      gpus: /TresPerNode=(\S+)/.exec(shown)?.[1],
      state: stateOf(job),
      output: rig.output('steps/count/text'),
      steps: rig.trace().length,
      progress: events.filter(({ report }) => report?.type === 'progress').length > 1,
      last: events.filter(({ report }) => report?.type === 'progress').at(-1)?.report.done,
      warnings: events.flatMap(({ report }) => (report?.level === 'warning' ? [report.message] : [])),
    }).toEqual({
      ...{ exitCode: 0, cpus: '2', memory: '700M', time: '03:00:00', gpus: 'gres:gpu:1', state: 'COMPLETED' },
      ...{ output: '10 steps\n', steps: 11, progress: true, last: 10, warnings: ['took 10 steps'] },
    });
    await using here = await open();
    await here.write('steps.yaml', stepsPipeline(here.folder, { with: 'milliseconds: 1' }));
    await here.start('run', 'steps.yaml');
    expect(here.output('steps/count/text')).toBe('10 steps\n');
  }, 60_000);

  test('a stage without resources of its own runs with what the cluster gives by default, and is then reused', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder, { with: 'milliseconds: 1' }));
    await rig.start('run', 'steps.yaml', '--executor', 'cluster');
    const before = jobs();
    const again = await rig.start('run', 'steps.yaml', '--executor', 'cluster');
    expect({ stdout: again.stdout.includes('nothing had to run'), jobs: jobs() }).toEqual({
      stdout: true,
      jobs: before,
    });
  }, 60_000);

  test('Ctrl-C cancels the job; the next run goes on from its state', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder));
    const before = jobs();
    const running = rig.start('run', 'steps.yaml', '--executor', 'cluster');
    await until(() => rig.trace().includes('step 3'));
    const [job = ''] = jobs().filter((each) => !before.includes(each));
    running.kill('SIGINT');
    const { exitCode } = await running;
    await until(() => ['CANCELLED', 'FAILED'].includes(stateOf(job)));
    const [start = ''] = rig.trace().slice(-1);
    const steps = Number(start.replace('step ', ''));
    const again = await rig.start('run', 'steps.yaml', '--executor', 'cluster');
    expect({
      exitCode,
      starts: rig.trace().filter((line) => line.startsWith('start')),
      again: again.exitCode,
      output: rig.output('steps/count/text'),
    }).toEqual({ exitCode: 130, starts: ['start 0', `start ${steps}`], again: 0, output: '10 steps\n' });
  }, 60_000);

  test('the run that follows a killed one finds the job again and submits no second one', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder));
    const before = jobs();
    const running = rig.start('run', 'steps.yaml', '--executor', 'cluster');
    await until(() => rig.trace().includes('step 2'));
    running.kill('SIGKILL');
    await running;
    const { exitCode, stdout } = await rig.start('run', 'steps.yaml', '--executor', 'cluster');
    expect({
      exitCode,
      jobs: jobs().length - before.length,
      starts: rig.trace().filter((line) => line.startsWith('start')),
      said: /takes up Slurm job \d+ of an earlier run/.test(stdout.replaceAll(/\s+/g, ' ')),
      output: rig.output('steps/count/text'),
    }).toEqual({ exitCode: 0, jobs: 1, starts: ['start 0'], said: true, output: '10 steps\n' });
  }, 60_000);

  test('a run that was killed before it could note the number of its job leaves a job that is found by its name', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder));
    const before = jobs();
    const running = rig.start('run', 'steps.yaml', '--executor', 'cluster');
    await until(() => rig.trace().includes('step 1'));
    running.kill('SIGKILL');
    await running;
    const root = join(rig.folder, 'artifacts');
    const found = (await readdir(root, { recursive: true })).find((path) => path.endsWith('/job.json'));
    const folder = join(root, dirname(found ?? ''));
    await writeJobFile({ folder, root }, { executor: 'cluster', place: 'a Slurm job' });
    const { exitCode } = await rig.start('run', 'steps.yaml', '--executor', 'cluster');
    expect([exitCode, jobs().length - before.length]).toEqual([0, 1]);
  }, 60_000);

  test('a job that ended while nobody watched is not run again', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder));
    const running = rig.start('run', 'steps.yaml', '--executor', 'cluster');
    await until(() => rig.trace().includes('step 1'));
    running.kill('SIGKILL');
    await running;
    await until(() => rig.trace().includes('step 10'));
    const { exitCode } = await rig.start('run', 'steps.yaml', '--executor', 'cluster');
    expect([
      exitCode,
      rig.trace().filter((line) => line.startsWith('start')),
      rig.output('steps/count/text'),
    ]).toEqual([0, ['start 0'], '10 steps\n']);
  }, 60_000);

  test('a job that makes room for another goes back into the queue, and on from its state', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder, { beside: 'resources: { threads: 2 }' }));
    const before = jobs();
    const running = rig.start('run', 'steps.yaml', '--executor', 'cluster');
    await until(() => rig.trace().includes('step 3'));
    const [job = ''] = jobs().filter((each) => !before.includes(each));
    cluster.ask(
      'sbatch',
      '--partition=urgent',
      '--cpus-per-task=2',
      '--chdir=/',
      '--output=/dev/null',
      '--wrap=sleep 2',
    );
    await startRequeued(job);
    const { exitCode, stdout } = await running;
    const starts = rig.trace().filter((line) => line.startsWith('start'));
    expect({
      exitCode,
      jobs: jobs().length - before.length,
      starts: [starts.length, starts[0], starts[1] !== 'start 0'],
      said: /put back into the queue/.test(stdout.replaceAll(/\s+/g, ' ')),
      output: rig.output('steps/count/text'),
    }).toEqual({ exitCode: 0, jobs: 2, starts: [2, 'start 0', true], said: true, output: '10 steps\n' });
  }, 60_000);

  test('a job goes on while the scheduler is restarted', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder));
    const running = rig.start('run', 'steps.yaml', '--executor', 'cluster');
    await until(() => rig.trace().includes('step 2'));
    await cluster.stop('slurmctld');
    await until(() => rig.trace().includes('step 6'));
    await cluster.start('slurmctld');
    const { exitCode } = await running;
    expect([exitCode, rig.output('steps/count/text')]).toEqual([0, '10 steps\n']);
    await until(() => cluster.ask('sinfo', '-h', '-o', '%T') !== '');
  }, 60_000);

  test('a job that someone else cancels, one that Slurm refuses, and a stage that fails say so', async () => {
    await using rig = await open();
    await rig.write('steps.yaml', stepsPipeline(rig.folder));
    const before = jobs();
    const running = rig.start('run', 'steps.yaml', '--executor', 'cluster');
    await until(() => rig.trace().includes('step 2'));
    const [job = ''] = jobs().filter((each) => !before.includes(each));
    cluster.ask('scancel', job);
    const canceled = await running;
    const refused = await rig.start('run', 'steps.yaml', '--executor', 'wrong');
    await rig.write(
      'fails.yaml',
      'stages:\n  hello:\n    uses: shell\n    with: { command: "echo oh no >&2; exit 3", outputs: { text: file } }\n',
    );
    const failed = await rig.start('run', 'fails.yaml', '--executor', 'cluster');
    const unknown = await rig.start('run', 'steps.yaml', '--executor', 'clustre');
    const said = (text: string, part: string): boolean => text.replaceAll(/\s+/g, ' ').includes(part);
    expect([
      [canceled.exitCode, said(canceled.stdout, `Slurm job ${job} was canceled outside tuneloom`)],
      [
        refused.exitCode,
        said(refused.stdout, "Slurm does not take the stage's job: ") &&
          said(refused.stdout, 'invalid partition'),
      ],
      [failed.exitCode, said(failed.stdout, 'ended with exit code 3 oh no')],
      [unknown.exitCode, unknown.stderr.split('\n')],
    ]).toEqual([
      [1, true],
      [1, true],
      [1, true],
      [2, ['error: no executor is called `clustre`', '  help: did you mean `cluster`?']],
    ]);
  }, 60_000);
});
