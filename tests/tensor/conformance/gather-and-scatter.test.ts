import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  backend,
  examples,
  expectAgreement,
  openBothBackends,
  sample,
  unlessTensorflow,
} from './both-backends.ts';

beforeAll(openBothBackends);

const indices = (values: number[], shape = [values.length]) => tf.tensor(values, shape, 'int32');
const segments = (values: number[]) => tf.tensor1d(values, 'int32');
const settings = examples(25);

describe('gathering and scattering agree with the cpu backend', () => {
  test.each([0, 1, 2])('gather along axis %d', async (axis) => {
    await expectAgreement(() => tf.gather(sample([3, 3, 3]), indices([2, 0, 2, 1], [2, 2]), axis));
    await expectAgreement(() => tf.gather(sample([3, 3, 3], { dtype: 'int32' }), indices([1]), axis));
    await expectAgreement(() => tf.gather(sample([3, 3, 3]), indices([], [0]), axis));
  });

  test('gather with separate indices for each row', async () => {
    await expectAgreement(() => tf.gather(sample([2, 4, 3]), indices([3, 0, 1, 1], [2, 2]), 1, 1));
    await expectAgreement(() => tf.gather(sample([2, 3, 4, 2]), indices([3, 0, 1, 1], [2, 2]), 2, 1));
  });

  test('gatherND', async () => {
    await expectAgreement(() => tf.gatherND(sample([3, 4]), indices([0, 3, 2, 1], [2, 2])));
    await expectAgreement(() => tf.gatherND(sample([3, 4, 2]), indices([2, 0], [2, 1])));
  });

  test('scatterND adds updates of one element', async () => {
    await expectAgreement(() => tf.scatterND(indices([1, 3, 1], [3, 1]), sample([3, 2]), [4, 2]));
    await expectAgreement(() => tf.scatterND(indices([0, 1, 1, 0, 0, 1], [3, 2]), sample([3]), [2, 2]));
  });

  // Not against the cpu backend, which loses the tensor if tfjs-node has loaded a second copy of tfjs-core.
  test('tensorScatterUpdate replaces rows', async () => {
    await tf.setBackend(backend);
    const rows = tf.tensor([1, 2, 3, 4, 5, 6], [3, 2]);
    const updated = tf.tensorScatterUpdate(rows, indices([2, 0], [2, 1]), tf.tensor([7, 8, 9, 10], [2, 2]));
    expect([...updated.dataSync()]).toEqual([9, 10, 3, 4, 7, 8]);
    expect([...rows.dataSync()]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  unlessTensorflow('unsortedSegmentSum adds repeated segments and leaves out unknown ones', () => {
    const cases = fc.record({
      ids: fc.array(fc.integer({ min: -1, max: 5 }), { maxLength: 12 }),
      inner: fc.array(fc.nat(3), { maxLength: 2 }),
      count: fc.integer({ min: 1, max: 5 }),
    });
    return fc.assert(
      fc.asyncProperty(cases, ({ ids, inner, count }) =>
        expectAgreement(() => tf.unsortedSegmentSum(sample([ids.length, ...inner]), segments(ids), count)),
      ),
      settings,
    );
  });

  test('a row of NaN affects only its own segment', async () => {
    await tf.setBackend(backend);
    const rows = tf.tensor([1, Number.NaN, 2, 3], [4, 1]);
    const sums = tf.unsortedSegmentSum(rows, segments([0, 1, 0, -1]), 3);
    expect([...sums.dataSync()]).toEqual([3, Number.NaN, 0]);
  });
});
