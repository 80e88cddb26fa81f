import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import * as ours from '../../src/tensor/index.ts';
import { tensorOf } from './numbers.ts';

const outputs = 7;
const column = (width: number, seed: number) => tensorOf([width], { seed });

/** The operations of generation, over N equal rows. Widths differ, so that rows start at differently aligned addresses. */
const operations: Record<string, (x: tf.Tensor2D) => tf.Tensor> = {
  layerNorm: (x) =>
    ours.layerNorm({ x, scale: column(x.shape[1], 2), bias: column(x.shape[1], 3), epsilon: 1e-5 }),
  rmsNorm: (x) => ours.rmsNorm({ x, scale: column(x.shape[1], 2), epsilon: 1e-5 }),
  linear: (x) => ours.linear({ x, weight: tensorOf([x.shape[1], outputs]), bias: tensorOf([outputs]) }),
  'linear with a transposed weight': (x) =>
    ours.linear({ x, weight: tensorOf([outputs, x.shape[1]]), transposeWeight: true }),
  expertOutput: (x) => expertOf(x, tf.ones([x.shape[0], 1])),
  gelu: (x) => ours.gelu(x),
  sigmoid: (x) => tf.sigmoid(x),
  softmax: (x) => tf.softmax(x),
  tokenLogLikelihoods: (x) =>
    ours.tokenLogLikelihoods({ logits: x, targets: tf.fill([x.shape[0]], x.shape[1] - 1, 'int32') }),
  'a product of matrices in batches': (x) =>
    tf.matMul(
      tf.expandDims(x, 1),
      tf.tile(tensorOf([1, outputs, x.shape[1]]), [x.shape[0], 1, 1]),
      false,
      true,
    ),
};

describe.each([1, 2])('on the onnx backend with %i threads', (threads) => {
  beforeAll(async () => {
    await ours.openTensorBackend({ backend: 'onnx', threads });
  });

  test.each(Object.entries(operations))('%s gives equal rows equal bits at any position', (_, operation) => {
    const unequal: string[] = [];
    for (const width of [5, 8, 30, 101])
      for (const count of [3, 8, 17])
        if (distinctRows(operation, { width, count }) > 1) unequal.push(`${count} rows of ${width}`);
    expect(unequal).toEqual([]);
  });
});

test('an expert gives a row the same bits, however many others are sent to it', async () => {
  await ours.openTensorBackend({ backend: 'onnx' });
  const x = tensorOf([9, 30], { scale: 3 }) as tf.Tensor2D; // of two dimensions
  const firstRows = Array.from({ length: 9 }, (_, others) => {
    const share = tf.tensor2d(Array.from({ length: 9 }, (_, row) => [Number(row <= others)]));
    return expertOf(x, share).dataSync().subarray(0, 30).join();
  });
  expect(new Set(firstRows).size).toBe(1);
});

/** The output of an expert with 7 inner values. */
const expertOf = (x: tf.Tensor2D, share: tf.Tensor): tf.Tensor =>
  ours.expertOutput({
    ...{ x, share },
    gate: tensorOf([outputs, x.shape[1]]),
    up: tensorOf([outputs, x.shape[1]], { seed: 2 }),
    down: tensorOf([x.shape[1], outputs], { seed: 3 }),
  });

function distinctRows(
  operation: (x: tf.Tensor2D) => tf.Tensor,
  { width, count }: { width: number; count: number },
): number {
  return tf.tidy(() => {
    const rows = tf.tile(tensorOf([1, width], { scale: 3 }), [count, 1]) as tf.Tensor2D; // tiled from two dimensions
    const values = operation(rows).dataSync();
    const length = values.length / count;
    const results = Array.from({ length: count }, (_, row) =>
      values.subarray(row * length, (row + 1) * length),
    );
    return new Set(results.map((result) => result.join())).size;
  });
}
