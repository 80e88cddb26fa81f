import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runsAsOthers } from '../other-user.ts';
import { freePort, until } from './slurm-cluster.ts';

/** Why no sshd can be started here, for the titles of skipped tests; empty where one can. */
export const noSshd: string = !runsAsOthers
  ? ' (skipped: needs root, and Node and the checkout where other users may read)'
  : existsSync('/usr/sbin/sshd') && existsSync('/usr/bin/ssh')
    ? ''
    : ' (skipped: needs sshd and ssh)';

/** A real sshd on loopback, through which a user of its own is reached. */
export interface SshServer extends AsyncDisposable {
  readonly host: string;
  readonly options: readonly string[];
  /** A folder of that user. */
  readonly home: string;
  readonly user: string;
  /** Ends every connection and refuses new ones; `start` takes them again. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

export async function startSshd(): Promise<SshServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sshd-'));
  await chmod(folder, 0o755);
  const user = `tl${process.pid}`;
  const home = join(folder, 'home');
  execFileSync('useradd', [
    '--create-home',
    '--home-dir',
    home,
    '--password',
    '*',
    '--shell',
    '/bin/sh',
    user,
  ]);
  const port = await freePort();
  const keys = (name: string) => ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)];
  execFileSync('ssh-keygen', keys('host_key'));
  execFileSync('ssh-keygen', keys('user_key'));
  await mkdir(join(home, '.ssh'), { mode: 0o700 });
  await writeFile(join(home, '.ssh', 'authorized_keys'), await readFile(join(folder, 'user_key.pub')));
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(execFileSync('id', [flag, user], { encoding: 'utf8' })),
  );
  for (const path of ['.ssh', join('.ssh', 'authorized_keys')])
    await chown(join(home, path), uid ?? 0, gid ?? 0);
  await writeFile(
    join(folder, 'config'),
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${join(folder, 'host_key')}
PidFile none
AuthorizedKeysFile .ssh/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
AcceptEnv none
`,
  );
  const hostKey = (await readFile(join(folder, 'host_key.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
  await writeFile(join(folder, 'known_hosts'), `[127.0.0.1]:${port} ${hostKey}\n`);
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  let daemon: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    daemon = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'config')], { stdio: 'ignore' });
    await until(() => accepts(port));
  };
  const stop = async (): Promise<void> => {
    const running = daemon;
    daemon = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
    for (const pid of sessionsOf(user)) process.kill(pid, 'SIGKILL');
  };
  await start();
  return {
    ...{ host: `${user}@127.0.0.1`, home, user, start, stop },
    options: [
      ...['-p', String(port), '-i', join(folder, 'user_key'), '-o', 'IdentitiesOnly=yes'],
      ...[
        '-o',
        `UserKnownHostsFile=${join(folder, 'known_hosts')}`,
        '-o',
        'StrictHostKeyChecking=yes',
        '-F',
        'none',
      ],
    ],
    [Symbol.asyncDispose]: async () => {
      await stop();
      for (const pid of pidsOf(['-u', user])) process.kill(pid, 'SIGKILL');
      execFileSync('userdel', ['--force', user], { stdio: 'ignore' });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      })
      .once('error', () => resolve(false));
  });

/** The processes of sshd that hold a user's connections. */
const sessionsOf = (user: string): readonly number[] => pidsOf(['-f', `^sshd: ${user}`]);

function pidsOf(args: readonly string[]): readonly number[] {
  try {
    return execFileSync('pgrep', args, { encoding: 'utf8' }).trim().split('\n').map(Number);
  } catch {
    return [];
  }
}
