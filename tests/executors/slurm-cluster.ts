import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Why no cluster can be started here, for the titles of skipped tests; empty where one can. */
export const noSlurm: string =
  process.getuid?.() !== 0
    ? ' (skipped: needs root)'
    : ['/usr/sbin/munged', '/usr/sbin/slurmctld', '/usr/sbin/slurmd'].every((path) => existsSync(path))
      ? ''
      : ' (skipped: needs munge, slurmctld and slurmd)';

/** A real Slurm of one node on loopback, with its own configuration, ports and key. */
export interface SlurmCluster extends AsyncDisposable {
  /** For the programs that use it. */
  readonly environment: { readonly SLURM_CONF: string };
  /** What one of Slurm's programs prints. */
  readonly ask: (program: string, ...args: readonly string[]) => string;
  readonly stop: (daemon: 'slurmctld' | 'slurmd') => Promise<void>;
  readonly start: (daemon: 'slurmctld' | 'slurmd') => Promise<void>;
}

/** Partitions: `work`, and `urgent`, whose jobs put those of `work` back into the queue. */
export async function startSlurm(): Promise<SlurmCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'slurm-'));
  await chmod(folder, 0o755);
  const [controller, node] = [await freePort(), await freePort()];
  const socket = join(folder, 'munge', 'socket');
  const conf = join(folder, 'slurm.conf');
  for (const name of ['munge', 'state', 'spool']) await mkdir(join(folder, name), { mode: 0o755 });
  await writeFile(join(folder, 'munge.key'), randomBytes(1024), { mode: 0o400 });
  await writeFile(
    conf,
    `ClusterName=test
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmctldPort=${controller}
SlurmdPort=${node}
AuthType=auth/munge
AuthInfo=socket=${socket}
SlurmUser=root
SlurmdUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=10000
KillWait=3
SlurmdTimeout=6
StateSaveLocation=${join(folder, 'state')}
SlurmdSpoolDir=${join(folder, 'spool')}
SlurmctldPidFile=${join(folder, 'slurmctld.pid')}
SlurmdPidFile=${join(folder, 'slurmd.pid')}
GresTypes=gpu
NodeName=${hostname()} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 Gres=gpu:1
PartitionName=work Nodes=ALL Default=YES PriorityTier=1
PartitionName=urgent Nodes=ALL PriorityTier=2
`,
  );
  await writeFile(join(folder, 'gres.conf'), 'Name=gpu File=/dev/zero\n');
  const environment = { SLURM_CONF: conf };
  const env = { ...process.env, ...environment };
  const daemons = new Map<string, ChildProcess>();
  const launch = (name: string, args: readonly string[]): void => {
    daemons.set(name, spawn(name, args, { env, stdio: 'ignore' }));
  };
  const ask = (program: string, ...args: readonly string[]): string =>
    execFileSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  const startDaemon = async (name: 'slurmctld' | 'slurmd'): Promise<void> =>
    launch(`/usr/sbin/${name}`, [
      '-D',
      ...(name === 'slurmctld' ? ['-L'] : ['-f', conf, '-L']),
      join(folder, `${name}.log`),
    ]);
  const end = async (name: string): Promise<void> => {
    const daemon = daemons.get(name);
    daemons.delete(name);
    if (daemon === undefined || daemon.exitCode !== null) return;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    const timer = setTimeout(() => daemon.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(timer);
  };
  launch('/usr/sbin/munged', [
    ...['--foreground', '--force', `--key-file=${join(folder, 'munge.key')}`, `--socket=${socket}`],
    ...[`--pid-file=${join(folder, 'munge', 'pid')}`, `--log-file=${join(folder, 'munge', 'log')}`],
    ...[`--seed-file=${join(folder, 'munge', 'seed')}`],
  ]);
  const cluster: SlurmCluster = {
    environment,
    ask,
    start: startDaemon,
    stop: (name) => end(`/usr/sbin/${name}`),
    [Symbol.asyncDispose]: async () => {
      try {
        ask('scancel', '--full', '--signal=KILL', '--user=root');
      } catch {}
      for (const name of [...daemons.keys()].reverse()) await end(name);
      await rm(folder, { recursive: true, force: true });
    },
  };
  await until(() => existsSync(socket));
  await startDaemon('slurmctld');
  await startDaemon('slurmd');
  await until(() => ask('sinfo', '-h', '-o', '%T').split('\n').includes('idle'));
  return cluster;
}

/** Waits until a condition holds, 60 s at most. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; ; await sleep(100)) {
    try {
      if (await holds()) return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    if (Date.now() > end) throw new Error(`waited 60 s for ${holds}`);
  }
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
