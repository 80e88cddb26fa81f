import { expect, test } from 'vitest';
import { compareVersions, satisfies } from '../../../src/cli/setup/tensorflow/find-wheel.ts';
import { cudaRequirements } from '../../../src/cli/setup/tensorflow/unpack-libraries.ts';

test('versions are ordered number by number', () => {
  expect(['12.10', '12.5.3.2', '9.28', '12.5'].sort(compareVersions)).toEqual([
    '9.28',
    '12.5',
    '12.5.3.2',
    '12.10',
  ]);
});

test.each([
  ['12.9.1', '<13.0,>=12.5.3.2', true],
  ['13.0', '<13.0,>=12.5.3.2', false],
  ['12.5.3', '<13.0,>=12.5.3.2', false],
  ['2.21.0', '==2.21.0', true],
  ['2.21', '==2.21.0', true],
  ['2.21.0', '!=2.21.0', false],
])('%s under %s: %s', (version, specifier, expected) => {
  expect(satisfies(version, specifier)).toBe(expected);
});

test('only the requirements of the CUDA extra of a wheel are read', () => {
  const metadata = [
    'Requires-Dist: numpy<2.2.0,>=1.26.0',
    'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"',
    'Requires-Dist: nvidia-nccl-cu12 (<3.0,>=2.27.7) ; extra == "and-cuda"',
    'Requires-Dist: tensorflow-io>=0.23; extra == "gcs-filesystem"',
  ].join('\n');
  expect(cudaRequirements(metadata)).toEqual([
    { project: 'nvidia-cublas-cu12', specifier: '<13.0,>=12.5.3.2' },
    { project: 'nvidia-nccl-cu12', specifier: '<3.0,>=2.27.7' },
  ]);
});
