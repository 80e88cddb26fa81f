import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { tuningStages } from '../cli/tuning.ts';

const traced = spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;
const skipped = traced ? '' : ' (strace is not here, or may not trace)';

const tuneloomScript = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));

const watched =
  'trace=socket,connect,sendto,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat';

interface Traced extends AsyncDisposable {
  readonly project: string;
  readonly temporary: string;
  /** Runs a command to its end, and returns the sockets that it opened and the paths that it wrote to. */
  readonly tuneloom: (words: readonly string[], input?: string) => Promise<Effects>;
}

interface Effects {
  readonly exitCode: number | undefined;
  readonly sockets: readonly string[];
  readonly written: readonly string[];
}

/** A project, a home and a temporary folder, each by itself. */
async function openTraced(): Promise<Traced> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'tuneloom-traced-')));
  const [project, home, temporary] = ['project', 'home', 'temporary'].map((name) => join(root, name));
  if (project === undefined || home === undefined || temporary === undefined) throw new Error('no folders');
  for (const folder of [project, home, temporary]) await mkdir(folder);
  const trace = join(root, 'trace');
  return {
    project,
    temporary,
    tuneloom: async (words, input = '') => {
      // Those of the person who runs the tests would hide what is missing.
      const { ORT_DISABLE_TELEMETRY: _, TMPDIR: __, ...environment } = process.env;
      const { exitCode } = await execa(
        'strace',
        ['-f', '-y', '-s', '4096', '-e', watched, '-o', trace, process.execPath, tuneloomScript, ...words],
        {
          cwd: project,
          env: { ...environment, HOME: home, TMPDIR: temporary },
          extendEnv: false,
          reject: false,
          input,
        },
      );
      return { exitCode, ...effectsIn(await readFile(trace, 'utf8')) };
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

function effectsIn(trace: string): Omit<Effects, 'exitCode'> {
  const calls = trace.split('\n').map((line) => line.replace(/^\d+ +/, ''));
  return {
    sockets: calls.filter((call) => /^(socket|connect|sendto)\(.*AF_(INET|PACKET)/.test(call)),
    written: [...new Set(calls.flatMap(pathsWritten))].sort(),
  };
}

/** The paths that a call creates or opens for writing, whether or not it succeeds. */
function pathsWritten(call: string): readonly string[] {
  const [, name = '', given = ''] = /^(\w+)\((.*)$/.exec(call) ?? [];
  if (/^open/.test(name) && !/O_(WRONLY|RDWR|CREAT|APPEND)/.test(given)) return [];
  if (!/^(open|creat|mkdir|rename|link|symlink)/.test(name)) return [];
  const folder = /AT_FDCWD<([^>]*)>/.exec(given)?.[1] ?? '/';
  return [...given.matchAll(/"([^"]*)"/g)].slice(-1).map(([, path = '']) => resolve(folder, path));
}

/** What bwrap, the sandbox that doctor tries, makes in its own root. */
const sandbox = ['/newroot', '/oldroot', '/setgroups', '/uid_map', '/gid_map'];
/** The system's devices, and those that Vulkan's drivers open. */
const devices = ['/dev/null', '/dev/tty', '/dev/dri', '/dev/udmabuf', '/proc/self'];
/** Node's cache of compiled code is beside the program. */
const others = [join(dirname(tuneloomScript), 'compiled'), ...devices, ...sandbox];

test.skipIf(!traced)(
  `run, plan, doctor and chat open no socket to a network, and write to the store, the lock and the temporary folder only${skipped}`,
  async () => {
    await using traced = await openTraced();
    const { project, temporary } = traced;
    await writeFile(join(project, 'package.json'), '{}');
    await writeFile(
      join(project, 'rows.json'),
      JSON.stringify([{ text: 'the fig is a fruit' }, { text: 'the hen is a bird' }]),
    );
    const stages = `${tuningStages(1)}  generate: { from: { model: train, prompts: format }, with: { max_new_tokens: 4 } }\n`;
    await writeFile(join(project, 'p.yaml'), `name: p\n${stages}`);
    const commands: readonly (readonly [words: readonly string[], input?: string])[] = [
      [['plan', 'p.yaml']],
      [['run', 'p.yaml']],
      [['chat', 'p.yaml', 'train', '--template', 'completion', '--max-new-tokens', '4'], 'the fig\n'],
      [['doctor']],
    ];
    const allowed = [join(project, 'artifacts'), join(project, 'p.lock.yaml'), temporary, ...others];
    for (const [words, input] of commands) {
      const { exitCode, sockets, written } = await traced.tuneloom(words, input);
      const elsewhere = written.filter((path) => !allowed.some((start) => path.startsWith(start)));
      expect({ words, exitCode, sockets, elsewhere }).toEqual({
        words,
        exitCode: 0,
        sockets: [],
        elsewhere: [],
      });
      expect({ words, left: await readdir(temporary) }).toEqual({ words, left: [] });
    }
  },
);
