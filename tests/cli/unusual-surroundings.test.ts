import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { type CliRig, openCliRig } from './rig.ts';

const tuneloomScript = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));

const shell = (command: string) =>
  `stages:\n  s: { uses: shell, with: { command: ${command}, outputs: { o: file } } }\n`;
const writes = shell('\'echo a > "$OUT_o"\'');

/** Runs the command with exactly these variables. */
async function runWith(rig: CliRig, env: Readonly<Record<string, string>>, ...words: readonly string[]) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [tuneloomScript, ...words], {
    cwd: rig.folder,
    env,
    extendEnv: false,
    reject: false,
  });
  return { exitCode, text: `${stdout}\n${stderr}` };
}

describe('what no system can start is refused where it is written', () => {
  test.each([
    ['a null byte in a line', '"echo \\0"', 'null-byte'],
    ['a null byte in an argument', '["echo", "a\\0b"]', 'null-byte'],
    ['an empty program', '[""]', 'no-program'],
    ['a line that is too long', `"echo ${'x'.repeat(140_000)}"`, 'too-long'],
  ])('%s', async (_, command, code) => {
    await using rig = await openCliRig({ 'p.yaml': shell(command) });
    const { exitCode, stderr } = await rig.tuneloom('run', 'p.yaml');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(new RegExp(`^p\\.yaml:2:\\d+ error\\[${code}\\]`));
  });

  test('a variable with a null byte', async () => {
    const stage = '{ uses: shell, with: { command: ls, environment: { A: "a\\0b" }, outputs: { o: file } } }';
    await using rig = await openCliRig({ 'p.yaml': `stages:\n  s: ${stage}\n` });
    expect((await rig.tuneloom('run', 'p.yaml')).stderr).toContain('p.yaml:2:60 error[null-byte]');
  });

  test('a file name with a null byte', async () => {
    await using rig = await openCliRig({ 'p.yaml': 'extends: "a\\0b.yaml"\n' });
    expect((await rig.tuneloom('run', 'p.yaml')).stderr).toContain('has a null byte, so it names no file');
  });
});

test.each(['artifacts/state', 'artifacts'])(
  'a stage whose %s is removed while it runs fails, and says so',
  async (folder) => {
    await using rig = await openCliRig({ 'package.json': '{}' });
    const removed = join(rig.folder, folder);
    await rig.write('p.yaml', shell(`'rm -rf "${removed}"'`));
    const { exitCode, stdout } = await rig.tuneloom('run', 'p.yaml');
    expect([exitCode, /^failed s: .*$/m.exec(stdout)?.[0]]).toEqual([
      1,
      'failed s: artifacts: its files were removed while a stage ran',
    ]);
  },
);

test('without PATH, commands are found where the system looks by default', async () => {
  await using rig = await openCliRig({ 'package.json': '{}', 'p.yaml': writes });
  expect(await runWith(rig, {}, 'run', 'p.yaml')).toMatchObject({ exitCode: 0 });
});

test('a temporary folder that does not exist is named, and how to set it', async () => {
  await using rig = await openCliRig({ 'package.json': '{}', 'p.yaml': writes });
  const { exitCode, text } = await runWith(rig, { TMPDIR: '/nonexistent' }, 'run', 'p.yaml');
  expect(exitCode).toBe(1);
  expect(text).toContain('failed s: the temporary folder /nonexistent cannot be used: ENOENT');
  expect(text).toContain('set the environment variable TMPDIR');
});

test.skipIf(!existsSync('/dev/full'))('a full standard output is an error, told on stderr', async () => {
  await using rig = await openCliRig({ 'package.json': '{}', 'p.yaml': writes });
  const { exitCode, stderr } = await execa(
    'sh',
    ['-c', '"$0" "$@" > /dev/full', process.execPath, tuneloomScript, 'plan', 'p.yaml'],
    {
      cwd: rig.folder,
      reject: false,
    },
  );
  expect([exitCode, stderr]).toEqual([
    2,
    expect.stringMatching(/^error: standard output cannot be written: ENOSPC/),
  ]);
});

test.skipIf(process.platform === 'win32')('a working folder that was removed is an error', async () => {
  await using rig = await openCliRig();
  const gone = join(rig.folder, 'gone');
  await mkdir(gone);
  const { exitCode, stderr } = await execa(
    'sh',
    ['-c', 'rmdir "$PWD"; "$0" "$@"', process.execPath, tuneloomScript, 'plan'],
    {
      cwd: gone,
      reject: false,
    },
  );
  expect([exitCode, stderr]).toEqual([
    2,
    'error: the working folder no longer exists\n  help: change to a folder that exists',
  ]);
});

test('sizes that no machine holds are refused, in the file or before a byte is written', async () => {
  const init = (width: number) =>
    `stages:\n  b: { uses: load, with: { init: { encoding: r50k_base, context_length: 8, width: ${width}, layers: 9000, heads: 1 } } }\n`;
  await using rig = await openCliRig({
    'package.json': '{}',
    'a.yaml': init(10 ** 12),
    'b.yaml': init(10 ** 6),
  });
  expect((await rig.tuneloom('run', 'a.yaml')).stderr).toContain(
    'a.yaml:2:83 error[out-of-range] `init.width` of stage `b` must be at most 1048576',
  );
  const { exitCode, stdout } = await rig.tuneloom('run', 'b.yaml');
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(
    /failed b: the model would have [\d,]+ parameters \([\d.]+ [GT]B\), and [\d.]+ GB are free/,
  );
});

test('a timeout of more than 24.8 days, which a timer takes for 1 ms, is waited for', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'p.yaml': `stages:\n  s: { uses: shell, timeout: 30d, with: { command: 'sleep 0.3; echo a > "$OUT_o"', outputs: { o: file } } }\n`,
  });
  expect(await rig.tuneloom('run', 'p.yaml')).toMatchObject({ exitCode: 0 });
});

describe('an error that nothing in a user’s stage catches is the stage’s, with its place', () => {
  test.each([
    ['thrown later', "setTimeout(() => { throw new RangeError('later'); }, 10);", 'RangeError: later'],
    ['rejected', "Promise.reject(new RangeError('unawaited'));", 'RangeError: unawaited'],
  ])('%s', async (_, statement, message) => {
    await using rig = await openCliRig({
      'package.json': '{}',
      'own/stage.yaml': 'name: own\noutputs: { o: file }\n',
      'own/index.ts': `export const run = async () => {\n  ${statement}\n  await new Promise((end) => setTimeout(end, 5000));\n};\n`,
      'p.yaml': 'stages:\n  own: { uses: ./own }\n',
    });
    const { exitCode, stdout } = await rig.tuneloom('run', 'p.yaml');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(new RegExp(`^failed own: own/index\\.ts:2:\\d+: ${message}$`, 'm'));
    expect(stdout).not.toContain('internal error');
  });
});
