import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { embeddingLookup, openTensorBackend } from '../../src/tensor/index.ts';
import { bundleProgram } from '../bundle-program.ts';
import { tensorOf } from './numbers.ts';

const run = promisify(execFile);

test('equal inputs give equal bits in two processes, on two threads each', async () => {
  const program = await bundleProgram(join(import.meta.dirname, 'gradient-digest.ts'));
  const [first, second] = await Promise.all([
    run(process.execPath, [program]),
    run(process.execPath, [program]),
  ]);
  expect(first.stdout).toMatch(/^[0-9a-f]{64}\n[0-9a-f]{64}\n$/);
  expect(second.stdout).toBe(first.stdout);
});

test('repeated ids lose no gradient on two threads', async () => {
  await openTensorBackend({ backend: 'onnx', threads: 2 });
  const [count, width] = [4_096, 64];
  const ids = tf.tensor(
    Array.from({ length: count }, (_, i) => i % 3),
    [count],
    'int32',
  );
  const gradients = Array.from({ length: 10 }, () =>
    tf.tidy(() => {
      const sum = (table: tf.Tensor) => tf.sum(embeddingLookup({ table, ids }));
      return [
        ...new Set(
          tf
            .grad(sum)(tensorOf([3, width]))
            .dataSync(),
        ),
      ];
    }),
  );
  expect(gradients).toEqual(Array.from({ length: 10 }, () => [1_366, 1_365]));
});
