import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { backend, expectAgreement, openBothBackends, sample } from './both-backends.ts';

beforeAll(openBothBackends);

const orders = [false, true].flatMap((a) => [false, true].map((b) => ({ a, b })));
const oriented = (shape: number[], transposed: boolean) =>
  transposed ? [...shape.slice(0, -2), shape.at(-1) ?? 0, shape.at(-2) ?? 0] : shape;

const pairs: [number[], number[]][] = [
  [
    [3, 4],
    [4, 5],
  ],
  [
    [2, 3, 4],
    [2, 4, 5],
  ],
  [
    [1, 3, 4],
    [1, 4, 2],
  ],
  [
    [2, 3, 4],
    [1, 4, 5],
  ],
  [
    [3, 0],
    [0, 5],
  ],
  [
    [0, 4],
    [4, 5],
  ],
];

describe('products of matrices agree with the cpu backend', () => {
  test.each(orders)('matMul, first transposed $a, second transposed $b', async ({ a, b }) => {
    for (const [first, second] of pairs) {
      await expectAgreement(() =>
        tf.matMul(sample(oriented(first, a)), sample(oriented(second, b), { seed: 2 }), a, b),
      );
    }
  });

  test('broadcast batches give the products and gradients of copies', async () => {
    await tf.setBackend(backend);
    const shared = [sample([2, 1, 3, 4]), sample([1, 5, 4, 2], { seed: 2 })];
    const product = tf.grads((a, b) => tf.square(tf.matMul(a, b)));
    const copied = tf.grads((a, b) =>
      tf.square(tf.matMul(tf.broadcastTo(a, [2, 5, 3, 4]), tf.broadcastTo(b, [2, 5, 4, 2]))),
    );
    const [found, wanted] = [product(shared), copied(shared)].map((grads) =>
      grads.map((t) => [...t.dataSync()]),
    );
    expect(found).toEqual(wanted);
  });

  test.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const)(
    'fused with a bias and %s',
    async (activation) => {
      for (const shape of [
        [3, 4],
        [2, 3, 4],
      ]) {
        await expectAgreement(() =>
          tf.fused.matMul({
            a: sample(shape),
            b: sample(shape.with(-2, 4).with(-1, 5), { seed: 2 }),
            bias: sample([5]),
            activation,
          }),
        );
      }
    },
  );

  test('fused with prelu', () =>
    expectAgreement(() =>
      tf.fused.matMul({
        a: sample([3, 4]),
        b: sample([4, 5]),
        activation: 'prelu',
        preluActivationWeights: sample([5]),
      }),
    ));

  test.each(['ij,jk->ik', 'bij,bkj->bik', 'ij->ji', 'ij,ij->'])('einsum %s', (equation) => {
    const [first = '', second] = equation.split('->')[0]?.split(',') ?? [];
    const sizes: Record<string, number> = { b: 2, i: 3, j: 4, k: 5 };
    const shapeOf = (letters: string) => [...letters].map((letter) => sizes[letter] ?? 1);
    const operands = () =>
      [first, ...(second === undefined ? [] : [second])].map((x, seed) => sample(shapeOf(x), { seed }));
    return expectAgreement(() => tf.einsum(equation, ...operands()));
  });
});
