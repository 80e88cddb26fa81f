import { existsSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { openTensorBackend } from '../../src/tensor/index.ts';

const status = '/proc/self/status';

test.skipIf(!existsSync(status))(
  `the onnx backend computes with the requested number of threads (skipped without ${status})`,
  async () => {
    const one = await threadsOfProcess(1);
    const counts = [await threadsOfProcess(2), await threadsOfProcess(4), await threadsOfProcess(1)];
    expect(counts.map((count) => count - one)).toEqual([1, 3, 0]);
  },
);

/** The threads of this process once it has computed something with `threads` of them, the main thread included. */
async function threadsOfProcess(threads: number): Promise<number> {
  expect((await openTensorBackend({ backend: 'onnx', threads })).threads).toBe(threads);
  tf.tidy(() => tf.matMul(tf.ones([100, 100]), tf.ones([100, 100])).dataSync());
  return Number(/^Threads:\s+(\d+)$/m.exec(readFileSync(status, 'utf8'))?.[1]);
}
