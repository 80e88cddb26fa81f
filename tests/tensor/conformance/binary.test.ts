import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  backend,
  broadcastShapes,
  examples,
  expectAgreement,
  openBothBackends,
  sample,
  type TestType,
  unlessTensorflow,
} from './both-backends.ts';

beforeAll(openBothBackends);

const arithmetic = {
  add: tf.add,
  div: tf.div,
  floorDiv: tf.floorDiv,
  maximum: tf.maximum,
  minimum: tf.minimum,
  mod: tf.mod,
  mul: tf.mul,
  squaredDifference: tf.squaredDifference,
  sub: tf.sub,
};
const comparisons = {
  equal: tf.equal,
  greater: tf.greater,
  greaterEqual: tf.greaterEqual,
  less: tf.less,
  lessEqual: tf.lessEqual,
  notEqual: tf.notEqual,
};
const logical = { logicalAnd: tf.logicalAnd, logicalOr: tf.logicalOr, logicalXor: tf.logicalXor };

const onFloats = Object.entries(arithmetic).filter(([name]) => name !== 'floorDiv');
const isOrder = ([name]: [string, unknown]) => !['equal', 'notEqual'].includes(name);

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

function agreesFor(apply: Binary, dtype: TestType): Promise<void> {
  const property = fc.asyncProperty(broadcastShapes, ([a, b]) =>
    expectAgreement(() => {
      const divisor = sample(b, { seed: 2, dtype });
      // Integer division by zero has its own test.
      const nonZero =
        dtype === 'int32' ? tf.where(tf.equal(divisor, 0), tf.onesLike(divisor), divisor) : divisor;
      return apply(sample(a, { dtype }), nonZero);
    }),
  );
  return fc.assert(property, examples(12));
}

describe('functions of two tensors agree with the cpu backend over broadcast shapes', () => {
  test.each(onFloats)('%s of floats', (_, apply) => agreesFor(apply as Binary, 'float32'));
  unlessTensorflow('floorDiv of floats', () => agreesFor(tf.floorDiv, 'float32'));
  test.each(Object.entries(arithmetic))('%s of integers', (_, apply) => agreesFor(apply as Binary, 'int32'));
  test.each(Object.entries(comparisons))('%s of floats', (_, apply) => agreesFor(apply as Binary, 'float32'));
  test.each(Object.entries(comparisons))('%s of integers', (_, apply) => agreesFor(apply as Binary, 'int32'));
  test.each([['equal', tf.equal] as const, ['notEqual', tf.notEqual] as const])('%s of bools', (_, apply) =>
    agreesFor(apply as Binary, 'bool'),
  );
  unlessTensorflow.each(Object.entries(comparisons).filter(isOrder))('%s of bools', (_, apply) =>
    agreesFor(apply as Binary, 'bool'),
  );
  test.each(Object.entries(logical))('%s', (_, apply) => agreesFor(apply as Binary, 'bool'));

  test('pow of positive numbers', () => agreesFor((a, b) => tf.pow(tf.abs(a), b), 'float32'));
  test('pow of integers', () =>
    expectAgreement(() =>
      tf.pow(sample([6], { dtype: 'int32' }), tf.tensor([0, 1, 2, 3, 2, 1], [6], 'int32')),
    ));
  unlessTensorflow('bitwiseAnd', () =>
    expectAgreement(() =>
      tf.bitwiseAnd(sample([8], { dtype: 'int32' }), sample([8], { seed: 2, dtype: 'int32' })),
    ),
  );
  unlessTensorflow('floorDiv and mod take the sign of the divisor', async () => {
    const [a, b] = [
      [7, -7, 7, -7, 6],
      [3, 3, -3, -3, 3],
    ];
    for (const dtype of ['int32', 'float32'] as const) {
      await expectAgreement(() =>
        tf.floorDiv(tf.tensor(a ?? [], [5], dtype), tf.tensor(b ?? [], [5], dtype)),
      );
      await expectAgreement(() => tf.mod(tf.tensor(a ?? [], [5], dtype), tf.tensor(b ?? [], [5], dtype)));
    }
  });
  test('a number divided by zero is infinite or NaN', () =>
    expectAgreement(() => tf.div(tf.tensor([1, -1, 0]), tf.tensor([0, 0, 0]))));
  unlessTensorflow.each(['div', 'floorDiv', 'mod'] as const)(
    'integer division by zero does not end the process: %s of the onnx backend',
    async (name) => {
      await tf.setBackend(backend);
      const [a, b] = [
        tf.tensor([1, -1, 0, -(2 ** 31)], [4], 'int32'),
        tf.tensor([0, 0, 0, -1], [4], 'int32'),
      ];
      expect(tf.tidy(() => arithmetic[name](a, b)).dataSync()).toHaveLength(4);
    },
  );
  test('addN', () => expectAgreement(() => tf.addN([1, 2, 3].map((seed) => sample([2, 3], { seed })))));
});
