import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkDisk, findPip, wheelArchitecture } from '../../../src/cli/setup/requirements.ts';
import { hasNvidiaGpu, INSTALLED_FILE, installedTensorflow } from '../../../src/tensor/index.ts';

const script = fileURLToPath(new URL('../../../dist/tuneloom.js', import.meta.url));
const installed = installedTensorflow();
const hasInstallation = installed?.endsWith('cpu') === true;
const hasGpu = hasNvidiaGpu();

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tuneloom-setup-'));
  await mkdir(join(folder, 'bin'));
  await mkdir(join(folder, 'engines'));
});

afterEach(() => rm(folder, { recursive: true }));

/** Runs it with nothing installed, with the programs that the test put into `bin` first on PATH. */
function tuneloom(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const PATH = [join(folder, 'bin'), process.env.PATH].join(delimiter);
  const env = { PATH, HOME: folder, NO_COLOR: '1', TUNELOOM_TENSORFLOW: join(folder, 'engines') };
  const options = { cwd: folder, env: { ...env, ...environment }, extendEnv: false, reject: false } as const;
  return execa(process.execPath, [script, ...words], options);
}

async function listGpus(text: string): Promise<void> {
  const path = join(folder, 'bin/nvidia-smi');
  await writeFile(path, `#!/bin/sh\necho '${text}'\n`);
  await chmod(path, 0o755);
}

test('a setup on a machine with a GPU is for CUDA, and a missing compiler ends it before anything is fetched', async () => {
  await listGpus('Tesla T4, 15360, 535.104.05');
  const { exitCode, stdout, stderr } = await tuneloom(['setup', 'tensorflow'], { CXX: '/no/compiler' });
  expect([exitCode, stdout.trim()]).toEqual([2, 'for the GPU: Tesla T4, 16.1 GB, driver 535.104.05']);
  expect(stderr).toContain('the compiler `/no/compiler` is missing');
  expect(await readdir(join(folder, 'engines'))).toEqual([]);
});

test.skipIf(hasGpu)('without a GPU it is for the CPU, and with one it can be', async () => {
  const environment = { CXX: '/no/compiler' };
  const { stdout } = await tuneloom(['setup', 'tensorflow'], environment);
  expect(stdout.trim()).toBe('for the CPU: no NVIDIA GPU was found (--cuda installs for one anyway)');
  await listGpus('Tesla T4, 15360, 535.104.05');
  expect((await tuneloom(['setup', 'tensorflow', '--cpu'], environment)).stdout.trim()).toBe(
    'for the CPU, as requested',
  );
});

test('without a driver that CUDA 13 works with, setup cuda says so before anything is fetched', async () => {
  await listGpus('Tesla T4, 15360, 535.104.05');
  const old = await tuneloom(['setup', 'cuda']);
  expect([old.exitCode, old.stderr]).toEqual([
    2,
    expect.stringContaining('the driver of the Tesla T4 is 535.104.05, and CUDA 13 needs 580 or later'),
  ]);
  await rm(join(folder, 'bin/nvidia-smi'));
  if (!hasGpu) {
    const { exitCode, stderr } = await tuneloom(['setup', 'cuda']);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('there is no NVIDIA GPU')]);
  }
  expect(await readdir(folder)).toEqual(['bin', 'engines']);
});

test('doctor names every GPU, and what to do if the engine is missing', async () => {
  await listGpus('Tesla T4, 15360, 535.104.05\nNVIDIA A100-SXM4-80GB, 81920, 550.54.15');
  const { findings } = JSON.parse((await tuneloom(['doctor', '--json'])).stdout);
  const named = (name: string) => findings.find(({ subject }: { subject: string }) => subject === name);
  expect([named('gpu'), named('backend tensorflow')]).toEqual([
    {
      subject: 'gpu',
      state: 'good',
      found: 'Tesla T4, 16.1 GB, driver 535.104.05; NVIDIA A100-SXM4-80GB, 85.9 GB, driver 550.54.15',
    },
    {
      subject: 'backend tensorflow',
      state: 'absent',
      found: 'not installed, and there is an NVIDIA GPU',
      help: 'optional: trains on an NVIDIA GPU; `tuneloom setup tensorflow` installs it',
    },
  ]);
});

test.skipIf(!hasInstallation)(
  'a second setup does nothing and says so (where `tuneloom setup tensorflow --cpu` has been run)',
  async () => {
    await symlink(installed ?? '', join(folder, 'engines/cpu'));
    const { exitCode, stdout } = await tuneloom(['setup', 'tensorflow', '--cpu', '--json']);
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      0,
      {
        ...{ folder: join(folder, 'engines/cpu'), origin: expect.any(String), new: false },
        ...{ tensorflow: expect.stringMatching(/^\d+\.\d+\.\d+$/), uses_gpu: false },
      },
    ]);
    expect(await readdir(join(folder, 'engines'))).toEqual(['cpu']);
  },
);

test('a broken installation is replaced', async () => {
  await mkdir(join(folder, 'engines/cpu'));
  const versions = { tfjsNode: '4.22.0', tensorflow: '2.21.0', nodeApiHeaders: '1.9.0', origin: 'pypi' };
  await writeFile(join(folder, 'engines/cpu', INSTALLED_FILE), JSON.stringify(versions));
  const { exitCode, stderr } = await tuneloom(['setup', 'tensorflow', '--cpu'], { CXX: '/no/compiler' });
  expect([exitCode, stderr.includes('the compiler `/no/compiler` is missing')]).toEqual([2, true]);
});

test('machines without wheels, full disks and Pythons without pip are rejected with advice', async () => {
  expect(['x64', 'arm64'].map((arch) => wheelArchitecture({ platform: 'linux', arch }))).toEqual([
    'x86_64',
    'aarch64',
  ]);
  expect(() => wheelArchitecture({ platform: 'darwin', arch: 'arm64' })).toThrow(
    'there is no library for darwin on arm64',
  );
  await expect(checkDisk({ folder, needed: 1e9, variable: 'TUNELOOM_CUDA' })).rejects.toThrow(
    /GB free, and 1000000000 GB are needed$/,
  );
  await expect(findPip({ PYTHON: '/no/python' })).rejects.toThrow('`/no/python -m pip` does not work');
});
