import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import * as ours from '../../src/tensor/index.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import { fromFixture, type ListedTensor, readFixture } from './fixture.ts';
import { relativeError } from './numbers.ts';

interface Result {
  readonly value: ListedTensor;
  readonly gradients: Readonly<Record<string, ListedTensor>>;
}

interface HalfCase {
  readonly inputs: Readonly<Record<string, ListedTensor>>;
  readonly dy: ListedTensor;
  readonly results: Readonly<Record<ours.ProductPrecision, Result>>;
}

interface Fixture {
  readonly cases: Readonly<Record<string, HalfCase>>;
  readonly edges: readonly number[];
  readonly rounded: Readonly<Record<ours.HalfPrecision, readonly string[]>>;
}

const { cases, edges, rounded } = readFixture<Fixture>('half-products.json');

type Tensors = readonly [tf.Tensor, tf.Tensor, tf.Tensor];

const mask = () =>
  tf.tensor(
    Array.from({ length: 36 }, (_, i) => (i % 6 > Math.floor(i / 6) ? -1e9 : 0)),
    [6, 6],
  );

const operations: Readonly<Record<string, (...tensors: Tensors) => tf.Tensor>> = {
  linear: (x, weight, bias) => ours.linear({ x, weight, bias }),
  causalAttention: (query, key, value) => ours.causalAttention({ query, key, value, mask: mask() }),
};

/** How far sums of 16-bit products may be off, where they are added up in 16 bits too. */
const tolerances = { fp16: 2e-3, bf16: 1.5e-2 };

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  beforeAll(async () => {
    await ours.openTensorBackend({ backend });
  });

  test.each(ours.HALF_PRECISIONS)('products in %s round their factors as PyTorch does', async (precision) => {
    if (!ours.halfPrecisions().includes(precision)) return expectRefusal(precision);
    const column = tf.tensor([...edges], [edges.length, 1]);
    const one = tf.tensor([1], [1, 1]);
    const found = ours.withProductPrecision(precision, () => ours.linear({ x: column, weight: one }));
    expect(Array.from(await found.data())).toEqual(rounded[precision].map(numberOf));
    tf.dispose([column, one, found]);
  });

  test.each(
    ours.HALF_PRECISIONS.flatMap((precision) => Object.keys(cases).map((name) => [name, precision] as const)),
  )('%s and its gradients in %s are those of PyTorch', async (name, precision) => {
    if (!ours.halfPrecisions().includes(precision)) return expectRefusal(precision);
    const { inputs, dy, results } = cases[name] as HalfCase; // names are its keys
    const tensors = Object.values(inputs).map(fromFixture) as unknown as Tensors;
    const upstream = fromFixture(dy);
    const operation = operations[name] as (...tensors: Tensors) => tf.Tensor; // one for each case
    const [value, ...gradients] = ours.withProductPrecision(precision, () => {
      const dot = (...tensors: tf.Tensor[]) =>
        tf.sum(tf.mul(operation(...(tensors as unknown as Tensors)), upstream));
      return [operation(...tensors), ...tf.grads(dot)([...tensors])];
    });
    const found = await Promise.all([value, ...gradients].map((tensor) => (tensor as tf.Tensor).data()));
    tf.dispose([...tensors, upstream, value as tf.Tensor, ...gradients]);
    const errors = (of: Result) =>
      [of.value, ...Object.values(of.gradients)].map((wanted, i) =>
        relativeError(found[i] ?? [], wanted.values),
      );
    const wanted = errors(results[precision]);
    expect(wanted.filter((error) => error > tolerances[precision])).toEqual([]);
    // The bias alone has a gradient without a product.
    const inFloat32 = errors(results.float32).filter((error) => error < 1e-6);
    expect(inFloat32).toHaveLength(name === 'linear' ? 1 : 0);
  });
});

/** The backend refuses what it does not have, by name. */
function expectRefusal(precision: ours.HalfPrecision): void {
  expect(() => ours.withProductPrecision(precision, () => tf.scalar(1))).toThrow(
    `the ${tf.getBackend()} backend has no products in ${precision}`,
  );
}

/** JSON has no infinities. */
const numberOf = (text: string): number => Number(text.replace('inf', 'Infinity'));
