import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, test } from 'vitest';
import {
  examples,
  expectAgreement,
  openBothBackends,
  sample,
  shapes,
  type TestType,
} from './both-backends.ts';

beforeAll(openBothBackends);

const types: TestType[] = ['float32', 'int32', 'bool'];
const dtypes = fc.constantFrom(...types);
const settings = examples(25);

const shapeAndAxis = shapes(1).chain((shape) =>
  fc.record({ shape: fc.constant(shape), axis: fc.nat(shape.length - 1), dtype: dtypes }),
);

describe('rearrangements agree with the cpu backend', () => {
  test('transpose by any order', () => {
    const order = shapes(1).chain((shape) => {
      const axes = [...shape.keys()];
      return fc.record({
        shape: fc.constant(shape),
        order: fc.shuffledSubarray(axes, { minLength: axes.length }),
        dtype: dtypes,
      });
    });
    return fc.assert(
      fc.asyncProperty(order, ({ shape, order, dtype }) =>
        expectAgreement(() => tf.transpose(sample(shape, { dtype }), order)),
      ),
      settings,
    );
  });

  test('slice from any position', () => {
    const slices = shapes(1).chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        range: fc.tuple(...shape.map((size) => fc.tuple(fc.nat(size), fc.nat(size)))),
        dtype: dtypes,
      }),
    );
    return fc.assert(
      fc.asyncProperty(slices, ({ shape, range, dtype }) => {
        const begin = range.map(([x, y]) => Math.min(x, y));
        const size = range.map(([x, y]) => Math.abs(x - y));
        return expectAgreement(() => tf.slice(sample(shape, { dtype }), begin, size));
      }),
      settings,
    );
  });

  test('concat of any sizes along any axis', () =>
    fc.assert(
      fc.asyncProperty(
        shapeAndAxis,
        fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }),
        ({ shape, axis, dtype }, sizes) =>
          expectAgreement(() =>
            tf.concat(
              sizes.map((size, seed) => sample(shape.with(axis, size), { seed: seed + 1, dtype })),
              axis,
            ),
          ),
      ),
      settings,
    ));

  test('split, unstack, and stack of the unstacked', () =>
    fc.assert(
      fc.asyncProperty(shapeAndAxis, async ({ shape, axis, dtype }) => {
        const size = shape[axis] ?? 0;
        fc.pre(size > 0);
        await expectAgreement(() => tf.split(sample(shape, { dtype }), [1, size - 1], axis));
        await expectAgreement(() => tf.unstack(sample(shape, { dtype }), axis));
        await expectAgreement(() => tf.stack(tf.unstack(sample(shape, { dtype }), axis), axis));
      }),
      settings,
    ));

  test('tile, reverse, expandDims and reshape', () =>
    fc.assert(
      fc.asyncProperty(shapeAndAxis, async ({ shape, axis, dtype }) => {
        const repeats = shape.map((_, i) => (i === axis ? 3 : 1));
        await expectAgreement(() => tf.tile(sample(shape, { dtype }), repeats));
        await expectAgreement(() => tf.reverse(sample(shape, { dtype }), [axis]));
        await expectAgreement(() => tf.expandDims(sample(shape, { dtype }), axis));
        await expectAgreement(() => tf.neg(tf.reshape(sample(shape), [tf.util.sizeFromShape(shape), 1])));
      }),
      settings,
    ));

  test('pad with a number, and by reflection', async () => {
    const twoByThree = [
      [1, 0],
      [0, 2],
    ] as [number, number][];
    for (const dtype of types) await expectAgreement(() => tf.pad(sample([2, 3], { dtype }), twoByThree, 1));
    await expectAgreement(() => tf.pad(sample([0, 3]), twoByThree, -2));
    await expectAgreement(() => tf.mirrorPad(sample([3, 4]), twoByThree, 'reflect'));
  });

  test('broadcastTo', async () => {
    await expectAgreement(() => tf.broadcastTo(sample([3, 1]), [2, 3, 4]));
    await expectAgreement(() => tf.broadcastTo(sample([], { dtype: 'int32' }), [2, 2]));
  });

  const strided = [
    { begin: [0, 1], end: [3, 4], strides: [1, 2] },
    { begin: [2, 3], end: [0, 0], strides: [-1, -2] },
    { begin: [-1, 0], end: [-4, 4], strides: [-1, 1] },
    { begin: [0, 0], end: [0, 0], strides: [1, 1], beginMask: 3, endMask: 3 },
    { begin: [1, 0], end: [2, 4], strides: [1, 1], shrinkAxisMask: 1 },
    { begin: [2, 0], end: [0, 0], strides: [-1, 1], endMask: 3 },
  ];
  test.each(strided)('stridedSlice from $begin to $end by $strides', ({ begin, end, strides, ...masks }) => {
    const { beginMask = 0, endMask = 0, shrinkAxisMask = 0 } = masks;
    return expectAgreement(() =>
      tf.stridedSlice(sample([3, 4]), begin, end, strides, beginMask, endMask, 0, 0, shrinkAxisMask),
    );
  });

  test('reshapes of a tensor share its data and outlive it', () =>
    expectAgreement(() => {
      const x = tf.add(sample([2, 6]), 1);
      const [tall, flat] = [tf.reshape(x, [6, 2]), tf.reshape(x, [12])];
      x.dispose();
      return [tf.mul(tall, 2), tf.add(flat, tf.reshape(tall, [12]))];
    }));
});

describe('creation agrees with the cpu backend', () => {
  test('fill, zeros, ones, range and linspace', async () => {
    await expectAgreement(() => [
      tf.fill([2, 3], 1.5),
      tf.fill([2], 7, 'int32'),
      tf.fill([], 0.1),
      tf.fill([0, 2], 3),
    ]);
    await expectAgreement(() => [tf.zeros([3]), tf.ones([2, 2], 'int32'), tf.zeros([2], 'bool')]);
    await expectAgreement(() => [
      tf.range(0, 5),
      tf.range(5, 0, -2, 'int32'),
      tf.range(1, 1),
      tf.linspace(0, 1, 5),
    ]);
  });

  test('oneHot gives zeros for an unknown class', async () => {
    const classes = () => tf.tensor([0, 2, -1, 5], [4], 'int32');
    await expectAgreement(() => tf.oneHot(classes(), 3));
    await expectAgreement(() => tf.oneHot(classes(), 3, 0.5, -2, 'float32'));
    await expectAgreement(() => tf.oneHot(sample([2, 3], { dtype: 'int32' }), 4));
  });

  test('where', async () => {
    for (const dtype of types) {
      await expectAgreement(() =>
        tf.where(
          sample([2, 3], { dtype: 'bool' }),
          sample([2, 3], { dtype }),
          sample([2, 3], { seed: 2, dtype }),
        ),
      );
    }
  });
});
