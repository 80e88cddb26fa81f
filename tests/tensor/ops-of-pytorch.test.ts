import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import * as ours from '../../src/tensor/index.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import { fromFixture, type ListedTensor, readFixture } from './fixture.ts';
import { relativeError } from './numbers.ts';

interface OperationCase {
  readonly inputs: Record<string, ListedTensor>;
  readonly dy: ListedTensor;
  readonly value: ListedTensor;
  readonly gradients: Record<string, ListedTensor>;
  /** Of the rotary cases. */
  readonly angles?: ListedTensor;
}

interface Fixture {
  readonly cases: Record<string, OperationCase>;
}

const { cases } = readFixture<Fixture>('operations.json');

const entropy = cases.crossEntropy as OperationCase; // the fixture has it

type Tensors = readonly [tf.Tensor, tf.Tensor, tf.Tensor];
const ids = () => tf.tensor([3, 1, 3, 0, 3, 1], [2, 3], 'int32');
const targets = () => tf.tensor([2, -100, 0, 4, -100, 1], [6], 'int32');
const mask = () =>
  tf.tensor(
    Array.from({ length: 25 }, (_, i) => (i % 5 > Math.floor(i / 5) ? -1e9 : 0)),
    [5, 5],
  );

const operations: Record<string, (...tensors: Tensors) => tf.Tensor> = {
  linear: (x, weight, bias) => ours.linear({ x, weight, bias }),
  layerNorm: (x, scale, bias) => ours.layerNorm({ x, scale, bias, epsilon: 1e-5 }),
  rmsNorm: (x, scale) => ours.rmsNorm({ x, scale, epsilon: 1e-5 }),
  gelu: (x) => ours.gelu(x),
  exactGelu: (x) => ours.exactGelu(x),
  softCap: (x) => ours.softCap({ x, cap: 2.5 }),
  embeddingLookup: (table) => ours.embeddingLookup({ table, ids: ids() }),
  causalAttention: (query, key, value) => ours.causalAttention({ query, key, value, mask: mask() }),
  cappedAttention: (query, key, value) =>
    ours.causalAttention({ query, key, value, mask: mask(), scoreCap: 1.5 }),
  crossEntropy: (logits) => ours.crossEntropy({ logits, targets: targets() }),
  swiGlu: (gate, up) => ours.swiGlu({ gate, up }),
  rotary: (x) => ours.rotary({ x, headDim: 8, ...anglesOf('rotary') }),
  rotaryInPart: (x) => ours.rotary({ x, headDim: 8, ...anglesOf('rotaryInPart') }),
};

function anglesOf(name: string) {
  const angles = fromFixture(cases[name]?.angles as ListedTensor); // these cases have them
  // On the host, as models compute them: a GPU's own functions are exact to about 1e-4 only.
  const of = (compute: (angle: number) => number) =>
    tf.tensor(angles.dataSync<'float32'>().map(compute), angles.shape);
  return { cosines: of(Math.cos), sines: of(Math.sin) };
}

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  beforeAll(async () => {
    await ours.openTensorBackend({ backend, threads: 2 });
  });

  test.each(Object.entries(operations))("%s has PyTorch's value and gradients", (name, operation) => {
    const wanted = cases[name] as OperationCase; // the fixture has a case for each
    tf.tidy(() => {
      const inputs = Object.values(wanted.inputs).map(fromFixture);
      const apply = operation as unknown as (...tensors: tf.Tensor[]) => tf.Tensor;
      const { value, grads } = tf.valueAndGrads(apply)(inputs, fromFixture(wanted.dy));
      const pairs = [wanted.value, ...Object.values(wanted.gradients)].map(({ values }, i) => ({
        values,
        found: [value, ...grads][i]?.dataSync() ?? [],
      }));
      expect(
        pairs.map(({ found, values }) => relativeError(found, values)).filter((error) => error > 1e-5),
      ).toEqual([]);
    });
  });

  test('an ignored row has a gradient of exactly zero', () => {
    tf.tidy(() => {
      const logits = fromFixture(entropy.inputs.logits as ListedTensor); // the name of its one input
      const gradient = tf.grad((x) => ours.crossEntropy({ logits: x, targets: targets() }))(logits);
      const rows = tf.unstack(gradient).map((row) => [...row.dataSync()].every((x) => x === 0));
      expect(rows).toEqual([false, true, false, false, true, false]);
    });
  });

  test('tokenLogLikelihoods add up to the loss', () => {
    tf.tidy(() => {
      const logits = fromFixture(entropy.inputs.logits as ListedTensor); // the name of its one input
      const likelihoods = [...ours.tokenLogLikelihoods({ logits, targets: targets() }).dataSync()];
      const [loss = Number.NaN] = entropy.value.values;
      expect([likelihoods[1], likelihoods[4]]).toEqual([0, 0]);
      expect(-likelihoods.reduce((sum, x) => sum + x, 0) / 4).toBeCloseTo(loss, 5);
    });
  });
});
