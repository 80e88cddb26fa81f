import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExecutorRig, openExecutorRig, tuneloomScript } from './executor-rig.ts';
import { noSlurm, type SlurmCluster, startSlurm, until } from './slurm-cluster.ts';
import { noSshd, startSshd } from './ssh-server.ts';

const model = join(import.meta.dirname, '../fixtures/training/tiny-gpt2');

const pipeline = `name: sharded
stages:
  base:
    uses: load
    with: { model: ${model} }
  load:
    with: { records: rows.jsonl }
  format:
    from: load
    with: { template: completion }
  generate:
    from: { model: base, prompts: format }
    resources: { memory: 1GiB, threads: 1 }
    with: { max_new_tokens: 6, temperature: 0.8, samples: 2 }
`;

const rows = Array.from(
  { length: 40 },
  (_, index) => `${JSON.stringify({ id: `r${index}`, text: `w${index % 7} w${index % 5}` })}\n`,
).join('');

const responsesIn = ({ folder }: ExecutorRig, store: string): string =>
  readFileSync(join(folder, store, 'outputs/sharded/generate/responses'), 'utf8');

describe.skipIf(noSlurm !== '')(`shards as jobs of a real Slurm${noSlurm}`, () => {
  let cluster: SlurmCluster;
  beforeAll(async () => {
    cluster = await startSlurm();
  }, 90_000);
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const open = async (): Promise<ExecutorRig> => {
    const settings = `executors:
  cluster: { kind: slurm, partition: work, poll: 500ms }
executor: { generate: cluster }
`;
    const rig = await openExecutorRig({ settings, environment: cluster.environment });
    await rig.write('sharded.yaml', pipeline);
    await rig.write('rows.jsonl', rows);
    return rig;
  };
  const jobs = (): readonly string[] =>
    cluster.ask('squeue', '-h', '-t', 'all', '-o', '%i').split('\n').filter(Boolean);

  test('3 shards are 3 jobs, and give the bytes of one', async () => {
    await using rig = await open();
    expect((await rig.start('run', 'sharded.yaml', '--store', 'one', '--executor', 'local')).exitCode).toBe(
      0,
    );
    const before = jobs().length;
    const { exitCode, stderr } = await rig.start('run', 'sharded.yaml', '--shards', '3');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(jobs().length - before).toBe(3);
    expect(responsesIn(rig, 'artifacts')).toBe(responsesIn(rig, 'one'));
  }, 120_000);

  test('a run that is killed leaves its shards to the next, which submits none twice and joins as many as there are', async () => {
    await using rig = await open();
    await rig.start('run', 'sharded.yaml', 'format', 'base');
    const before = jobs().length;
    const running = rig.start('run', 'sharded.yaml', '--shards', '3');
    await until(() => jobs().length >= before + 3);
    running.kill('SIGKILL');
    await running;
    // Another number than before: the jobs are there already.
    const { exitCode, stdout } = await rig.start('run', 'sharded.yaml', '--shards', '2', '--json');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('takes up 3 jobs on cluster of an earlier run');
    expect(jobs().length - before).toBe(3);
    expect(responsesIn(rig, 'artifacts').split('\n')).toHaveLength(81);
  }, 120_000);
});

test.skipIf(noSshd !== '')(
  `shards run on another machine over ssh, and give the bytes of one job${noSshd}`,
  async () => {
    await using server = await startSshd();
    const settings = `executors:
  box:
    kind: ssh
    host: ${server.host}
    ssh_options: ${JSON.stringify(server.options)}
    store: ${join(server.home, 'store')}
    program: ${process.execPath} ${tuneloomScript}
`;
    await using rig = await openExecutorRig({ settings });
    await rig.write('sharded.yaml', pipeline);
    await rig.write('rows.jsonl', rows);
    const ran = await rig.start('run', 'sharded.yaml', '--executor', 'box', '--shards', '2');
    expect([ran.exitCode, ran.stderr]).toEqual([0, '']);
    expect((await rig.start('run', 'sharded.yaml', '--store', 'one')).exitCode).toBe(0);
    expect(responsesIn(rig, 'artifacts')).toBe(responsesIn(rig, 'one'));
  },
  120_000,
);
