import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSandbox, runProgram } from '../../../src/stages/execute/sandbox.ts';

const open = (python: string) =>
  openSandbox({ python, timeoutSeconds: 20, memoryMegabytes: 256, processes: 4 });
const lacks = await open('python3').then(
  () => undefined,
  (error: Error) => error.message,
);
const sandboxed = test.skipIf(lacks !== undefined);
const why = lacks === undefined ? '' : ` (skipped: ${lacks})`;

let folder = '';
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'tuneloom-python-')));
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'home/bin'), { recursive: true });
  await mkdir(join(folder, 'home/.ssh'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a program sees in a folder, or that it does not exist. */
async function seen(python: string, path: string): Promise<string> {
  const look = `import os\nraise Exception(sorted(os.listdir(${JSON.stringify(path)})))`;
  const { outcome } = await runProgram(await open(python), {
    program: look,
    tests: '',
    signal: new AbortController().signal,
  });
  return outcome ?? '';
}

const absent = (path: string) => `failed: FileNotFoundError: [Errno 2] No such file or directory: '${path}'`;

sandboxed(`a link to the system's interpreter shows nothing beside it${why}`, async () => {
  const link = join(folder, 'home/bin/linked');
  await symlink('/usr/bin/python3', link);
  expect(await seen(link, folder)).toBe(absent(folder));
});

sandboxed(`a copy of the system's interpreter shows itself alone${why}`, async () => {
  const copy = join(folder, 'home/bin/python3');
  await copyFile(await realpath('/usr/bin/python3'), copy);
  expect(await seen(copy, join(folder, 'home'))).toBe("failed: Exception: ['bin']");
  expect(await seen(copy, join(folder, 'home/bin'))).toBe("failed: Exception: ['python3']");
});

sandboxed(`a virtual environment shows its packages, and nothing else of its folder${why}`, async () => {
  const environment = join(folder, 'venv');
  spawnSync('/usr/bin/python3', ['-m', 'venv', '--without-pip', environment]);
  await mkdir(join(environment, 'data'));
  const shown = await seen(join(environment, 'bin/python3'), environment);
  expect(shown).toMatch(/^failed: Exception: \['bin', 'lib', ('lib64', )?'pyvenv.cfg'\]$/);
});

test.skipIf(lacks !== undefined).each([
  ['/nowhere/bin/python3', 'there is no interpreter `/nowhere/bin/python3`'],
  ['python3; id', 'there is no interpreter `python3; id`'],
  ['bin/python3', 'the interpreter `bin/python3` is a relative path'],
])(`%s is a missing interpreter, not a missing sandbox${why}`, async (python, message) => {
  await expect(open(python)).rejects.toMatchObject({ code: 'no-interpreter', message });
});

sandboxed(`a program that is no Python is named${why}`, async () => {
  await expect(open('/usr/bin/id')).rejects.toMatchObject({ code: 'no-interpreter' });
});
