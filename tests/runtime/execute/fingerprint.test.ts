import { expect, test } from 'vitest';
import { fingerprintOf } from '../../../src/runtime/execute/commit-result.ts';

const machine = { node: process.version, platform: process.platform, arch: process.arch };

test('what a stage reports about its engine is recorded with the machine', () => {
  const engine = {
    backend: 'tensorflow',
    engine: 'tensorflow 2.21.0, tfjs-node 4.22.0',
    instructionSet: 'avx512',
    threads: 2,
    device: 'gpu',
  };
  const measurements = { ...engine, steps: 88, peak_memory: 3e9 };
  const resources = { backend: 'auto', threads: 4 };
  expect(fingerprintOf({ measurements, resources })).toEqual({ ...machine, ...engine });
});

test('without a report, the requested backend and threads are recorded', () => {
  expect(fingerprintOf({ measurements: {}, resources: { backend: 'onnx', threads: 4 } })).toEqual({
    ...machine,
    ...{ backend: 'onnx', threads: 4 },
  });
  expect(fingerprintOf({ measurements: {}, resources: {} })).toEqual(machine);
});
