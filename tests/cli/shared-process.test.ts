import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCliRig } from './rig.ts';

const stage = (id: string, command: string, more = '') =>
  `  ${id}: { uses: shell, with: { command: '${command}; echo $PPID > $OUT_pid', outputs: { pid: file }${more} } }\n`;

test.skipIf(process.platform === 'win32')(
  'a shared process that dies while it is free is replaced',
  async () => {
    // What the first command leaves behind kills the process once it is free, before the next command.
    const kill = '(sleep 1; kill -9 $PPID) > /dev/null 2>&1 & :';
    await using rig = await openCliRig({
      'package.json': '{}',
      'p.yaml': `stages:\n${stage('a', kill)}${stage('b', 'sleep 2', ', environment: [HOME]')}${stage('c', ': 3')}`,
    });
    const { exitCode } = await rig.tuneloom('run', '--jobs', '1');
    expect(exitCode).toBe(0);
  },
);

test.skipIf(process.platform === 'win32')(
  'shell stages share a process, but not with one that is given variables, nor after one that killed it',
  async () => {
    await using rig = await openCliRig({
      'package.json': '{}',
      'p.yaml': `stages:\n${stage('a', ': 1')}${stage('b', ': 2')}${stage('c', ': 3', ', environment: [HOME]')}${stage('d', 'kill -9 $PPID')}${stage('e', ': 5')}`,
    });
    const { exitCode, stdout } = await rig.tuneloom('run', '--jobs', '1', '--keep-going');
    const idOf = async (id: string) =>
      Number(await readFile(join(rig.folder, `artifacts/outputs/p/${id}/pid`), 'utf8'));
    const [a, b, c, e] = [await idOf('a'), await idOf('b'), await idOf('c'), await idOf('e')];
    expect([
      exitCode,
      a === b,
      new Set([a, c, e]).size,
      stdout.includes('the system ended the process'),
    ]).toEqual([1, true, 3, true]);
  },
);
