import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { wheelArchitecture } from '../../../src/cli/setup/requirements.ts';
import { versions } from '../../../src/cli/setup/tensorflow/requirements.ts';
import { unpackLibraries } from '../../../src/cli/setup/tensorflow/unpack-libraries.ts';
import { type PythonIndex, servePythonIndex } from './python-index.ts';
import { wheelOf } from './write-wheel.ts';

const architecture = wheelArchitecture();
const { tensorflow: version } = versions;
const tensorflow = {
  ...{ version, architecture },
  files: {
    'tensorflow/libtensorflow_cc.so.2': 'the library',
    'tensorflow/libtensorflow_framework.so.2': 'its base',
    'tensorflow/include/tensorflow/c/c_api.h': 'a header',
    'tensorflow/python/keras.py': 'not wanted',
  },
  requires: ['Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5; extra == "and-cuda"'],
};
const cublas = (version: string, files: Readonly<Record<string, string>>) =>
  wheelOf({ project: 'nvidia_cublas_cu12', version, architecture, files });
const wheels = Object.fromEntries([
  wheelOf({ project: 'tensorflow', ...tensorflow }),
  wheelOf({ project: 'tensorflow_cpu', ...tensorflow }),
  cublas('12.4.9', { 'nvidia/cublas/lib/libcublas.so.12': 'too old' }),
  cublas('12.6.0', {
    'nvidia/cublas/lib/libcublas.so.12': 'CUDA',
    'nvidia/cublas/include/cublas.h': 'not wanted',
  }),
  cublas('13.0.0', { 'nvidia/cublas/lib/libcublas.so.13': 'too new' }),
]);

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tuneloom-setup-'));
  await mkdir(join(folder, 'downloads'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function unpack(index: PythonIndex, flavor: 'cpu' | 'cuda'): Promise<readonly string[]> {
  const steps: string[] = [];
  const progress = {
    begin: () => {},
    done: (step: string) => void steps.push(step),
    signal: new AbortController().signal,
  };
  const downloads = join(folder, 'downloads');
  vi.stubEnv('PIP_INDEX_URL', index.url.href);
  vi.stubEnv('PIP_CACHE_DIR', join(folder, 'pip'));
  await unpackLibraries({ folder, downloads, flavor, progress, python: 'python3' });
  return steps;
}

async function filesIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
}

const librariesOf = (project: string) => [
  'tensorflow/include/tensorflow/c/c_api.h',
  'tensorflow/libtensorflow_cc.so.2',
  'tensorflow/libtensorflow_framework.so.2',
  `${project}-${version}.dist-info/METADATA`,
];

test('libraries and headers are unpacked, and for CUDA those that the wheel requires, in a suitable version', async () => {
  await using index = await servePythonIndex({ wheels });
  const steps = await unpack(index, 'cuda');
  expect(await filesIn(join(folder, 'wheels'))).toEqual(
    ['nvidia/cublas/lib/libcublas.so.12', ...librariesOf('tensorflow')].sort(),
  );
  expect(await readFile(join(folder, 'wheels/nvidia/cublas/lib/libcublas.so.12'), 'utf8')).toBe('CUDA');
  expect(index.asked).toEqual(['tensorflow', 'nvidia_cublas_cu12']);
  expect(steps.map((step) => step.replace(/\(.*?\)/, '(<size>)'))).toEqual([
    `downloaded tensorflow ${versions.tensorflow} (<size>)`,
    'downloaded CUDA libraries (<size>)',
  ]);
});

test('a complete download is not repeated', async () => {
  await using index = await servePythonIndex({ wheels });
  const project = architecture === 'x86_64' ? 'tensorflow_cpu' : 'tensorflow';
  await unpack(index, 'cpu');
  expect(await filesIn(join(folder, 'wheels'))).toEqual(librariesOf(project).sort());
  await unpack(index, 'cpu');
  expect(index.asked).toEqual([project]);
});

test('a file whose hash differs from the index is rejected and not unpacked', async () => {
  await using index = await servePythonIndex({ wheels, sha256: '0'.repeat(64) });
  await expect(unpack(index, 'cpu')).rejects.toThrow(/DO NOT MATCH THE HASHES/);
  expect([await filesIn(join(folder, 'downloads')), await readdir(folder)]).toEqual([[], ['downloads']]);
});

test('a project without a wheel for this machine is rejected by name', async () => {
  await using index = await servePythonIndex({ wheels: {} });
  await expect(unpack(index, 'cuda')).rejects.toThrow(
    `No matching distribution found for tensorflow==${versions.tensorflow}`,
  );
});
