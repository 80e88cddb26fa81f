import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  backend,
  examples,
  expectAgreement,
  openBothBackends,
  sample,
  shapes,
  type TestType,
} from './both-backends.ts';

beforeAll(openBothBackends);

const shapeAndAxes = shapes(1).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    axes: fc.shuffledSubarray([...shape.keys()], { minLength: 1 }),
    keepDims: fc.boolean(),
  }),
);

type Reduce = (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor;

const reductions: [string, Reduce, TestType][] = [
  ['sum', tf.sum, 'float32'],
  ['sum', tf.sum, 'int32'],
  ['mean', tf.mean, 'float32'],
  ['max', tf.max, 'float32'],
  ['max', tf.max, 'int32'],
  ['min', tf.min, 'float32'],
  ['prod', tf.prod, 'float32'],
  ['any', tf.any, 'bool'],
  ['all', tf.all, 'bool'],
  ['logSumExp', tf.logSumExp, 'float32'],
];

describe('reductions agree with the cpu backend', () => {
  test.each(reductions)('%s over any axes (%#)', (name, reduce, dtype) =>
    fc.assert(
      fc.asyncProperty(shapeAndAxes, async ({ shape, axes, keepDims }) => {
        // For no elements at all the cpu backend returns leftovers of its arrays.
        fc.pre(
          !['max', 'min', 'logSumExp', 'mean', 'all'].includes(name) || tf.util.sizeFromShape(shape) > 0,
        );
        await expectAgreement(() => reduce(sample(shape, { dtype }), axes, keepDims));
      }),
      examples(20),
    ),
  );

  test.each([
    ['argMax', tf.argMax],
    ['argMin', tf.argMin],
  ] as const)('%s is the first of equals', async (_, argument) => {
    await expectAgreement(() => argument(tf.tensor([1, 3, 3, 0, 0, 2], [2, 3]), 1));
    await expectAgreement(() => argument(sample([3, 4, 2], { dtype: 'int32' }), 1));
    await expectAgreement(() => argument(sample([3, 4, 2]), 0));
    await expectAgreement(() => argument(tf.tensor([1, Number.NaN, 3, 0, 2, Number.NaN], [2, 3]), 1));
  });

  const scans = [false, true].flatMap((exclusive) =>
    [false, true].map((reverse) => ({ exclusive, reverse })),
  );
  test.each(scans)(
    'cumsum and cumprod, exclusive $exclusive, reverse $reverse',
    async ({ exclusive, reverse }) => {
      for (const axis of [0, 1, 2]) {
        await expectAgreement(() => tf.cumsum(sample([3, 5, 1]), axis, exclusive, reverse));
        await expectAgreement(() => tf.cumprod(sample([3, 5, 1]), axis, exclusive, reverse));
      }
    },
  );

  test('reductions of no elements give their initial value', async () => {
    await tf.setBackend(backend);
    const nothing = tf.zeros([0, 2]);
    const results = [
      tf.sum(nothing, 0),
      tf.prod(nothing, 0),
      tf.max(nothing, 0),
      tf.min(nothing, 0),
      tf.mean(nothing, 0),
    ];
    const { POSITIVE_INFINITY, NEGATIVE_INFINITY } = Number;
    const both = [0, 1, NEGATIVE_INFINITY, POSITIVE_INFINITY, Number.NaN].map((value) => [value, value]);
    expect(results.map((t) => [...t.dataSync()])).toEqual(both);
    expect([...tf.all(tf.cast(nothing, 'bool'), 0).dataSync()]).toEqual([1, 1]);
  });

  test('a reduction over no axis gives a separate tensor', () =>
    expectAgreement(() => {
      const x = tf.add(sample([2, 3]), 1);
      const same = tf.sum(x, []);
      x.dispose();
      return [same, tf.max(sample([2]), [])];
    }));

  test('softmax and logSoftmax', async () => {
    for (const shape of [[4], [2, 5], [2, 3, 4], [0, 3]]) {
      await expectAgreement(() => tf.softmax(sample(shape)));
      await expectAgreement(() => tf.logSoftmax(sample(shape)));
    }
  });

  test.each([1, 2, 4])('topk of %d', async (k) => {
    const top = (x: tf.Tensor) => {
      const { values, indices } = tf.topk(x, k);
      return [values, indices];
    };
    await expectAgreement(() => top(sample([3, 4])));
    await expectAgreement(() => top(tf.tensor([5, 7, 7, 1, 7])));
  });
});
