import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { versions, wheelArchitecture } from '../../../src/cli/setup/tensorflow/requirements.ts';
import { unpackLibraries } from '../../../src/cli/setup/tensorflow/unpack-libraries.ts';
import { type PythonIndex, servePythonIndex } from './python-index.ts';
import { wheelOf } from './write-wheel.ts';

const architecture = wheelArchitecture();
const info = `tensorflow-${versions.tensorflow}.dist-info/METADATA`;
const tensorflow = wheelOf({
  'tensorflow/libtensorflow_cc.so.2': 'the library',
  'tensorflow/libtensorflow_framework.so.2': 'its base',
  'tensorflow/include/tensorflow/c/c_api.h': 'a header',
  'tensorflow/python/keras.py': 'not wanted',
  [info]: 'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5; extra == "and-cuda"\n',
});
const cublas = wheelOf({
  'nvidia/cublas/lib/libcublas.so.12': 'CUDA',
  'nvidia/cublas/include/cublas.h': 'not wanted',
});
const named = (project: string, version: string) =>
  `${project}-${version}-py3-none-manylinux_2_27_${architecture}.whl`;
const wheels = {
  [named('tensorflow', versions.tensorflow)]: tensorflow,
  [named('tensorflow_cpu', versions.tensorflow)]: tensorflow,
  [named('nvidia_cublas_cu12', '12.4.9')]: wheelOf({ 'nvidia/cublas/lib/libcublas.so.12': 'too old' }),
  [named('nvidia_cublas_cu12', '12.6.0')]: cublas,
  [named('nvidia_cublas_cu12', '13.0.0')]: wheelOf({ 'nvidia/cublas/lib/libcublas.so.13': 'too new' }),
};

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tuneloom-setup-'));
  await mkdir(join(folder, 'downloads'));
});

afterEach(() => rm(folder, { recursive: true }));

async function unpack(index: PythonIndex, flavor: 'cpu' | 'cuda'): Promise<readonly string[]> {
  const steps: string[] = [];
  const progress = {
    begin: () => {},
    done: (step: string) => void steps.push(step),
    signal: new AbortController().signal,
  };
  const downloads = join(folder, 'downloads');
  await unpackLibraries({ folder, downloads, flavor, progress, index: index.url });
  return steps;
}

async function filesIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
}

const libraries = [
  info,
  'tensorflow/include/tensorflow/c/c_api.h',
  'tensorflow/libtensorflow_cc.so.2',
  'tensorflow/libtensorflow_framework.so.2',
];

test('libraries and headers are unpacked, and for CUDA those that the wheel requires, in a suitable version', async () => {
  await using index = await servePythonIndex({ wheels });
  const steps = await unpack(index, 'cuda');
  expect(await filesIn(join(folder, 'wheels'))).toEqual(['nvidia/cublas/lib/libcublas.so.12', ...libraries]);
  expect(await readFile(join(folder, 'wheels/nvidia/cublas/lib/libcublas.so.12'), 'utf8')).toBe('CUDA');
  expect(index.asked).toEqual(['tensorflow whole', 'nvidia_cublas_cu12 whole']);
  expect(steps.map((step) => step.replace(/\(.*?,/, '(<size>,'))).toEqual([
    `downloaded tensorflow ${versions.tensorflow} (<size>, sha256 checked)`,
    'downloaded nvidia-cublas-cu12 12.6.0 (<size>, sha256 checked)',
  ]);
});

test('an interrupted download resumes, and a complete one is not repeated', async () => {
  await using index = await servePythonIndex({ wheels });
  const project = architecture === 'x86_64' ? 'tensorflow_cpu' : 'tensorflow';
  const path = join(folder, 'downloads', named(project, versions.tensorflow));
  await writeFile(`${path}.part`, tensorflow.subarray(0, 100));
  await unpack(index, 'cpu');
  expect(await filesIn(join(folder, 'wheels'))).toEqual(libraries);
  await unpack(index, 'cpu');
  expect(index.asked).toEqual([`${project} bytes=100-`]);
});

test('a file whose hash differs from the index is rejected and not unpacked', async () => {
  await using index = await servePythonIndex({ wheels, sha256: '0'.repeat(64) });
  await expect(unpack(index, 'cpu')).rejects.toMatchObject({ code: 'damaged-download' });
  expect([await filesIn(join(folder, 'downloads')), await readdir(folder)]).toEqual([[], ['downloads']]);
});

test('a project without a wheel for this machine is rejected by name', async () => {
  await using index = await servePythonIndex({ wheels: {} });
  await expect(unpack(index, 'cuda')).rejects.toThrow(
    `${index.url.host} has no wheel of tensorflow ==${versions.tensorflow} for Linux on ${architecture}`,
  );
});
