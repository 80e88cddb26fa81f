import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import * as ours from '../../src/tensor/index.ts';
import type { CausalAttentionOptions } from '../../src/tensor/ops/attention.ts';
import type { LinearOptions } from '../../src/tensor/ops/linear.ts';
import type { RotaryOptions } from '../../src/tensor/ops/rotary.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import { relativeError, tensorOf } from './numbers.ts';
import * as plain from './plain-tape.ts';

interface Case {
  readonly title: string;
  readonly inputs: () => tf.Tensor[];
  readonly ours: (inputs: tf.Tensor[]) => tf.Tensor;
  readonly plain: (inputs: tf.Tensor[]) => tf.Tensor;
}

const at = (inputs: tf.Tensor[], index: number): tf.Tensor => inputs[index] ?? tf.scalar(Number.NaN);
const ids = () => tf.tensor([3, 1, 3, 0, 3, 1], [2, 3], 'int32');
const targets = () => tf.tensor([2, -100, 0, 4, -100], [5], 'int32');
const mask = () => tf.tensor([0, -1e9, -1e9, 0, 0, -1e9, 0, 0, 0], [3, 3]);

/** The gradient by a share of 0 is not defined, and not needed: such a share has none by the router. */
const expertOptions = (i: tf.Tensor[], shares: readonly number[]) => ({
  x: at(i, 0),
  share: tf.mul(at(i, 1), tf.tensor(shares.map(Math.ceil), [shares.length, 1])),
  gate: at(i, 2),
  up: at(i, 3),
  down: at(i, 4),
});

const cases: readonly Case[] = [
  ...[true, false].flatMap((withBias) =>
    [true, false].map((transposeWeight) => ({
      title: `linear, ${withBias ? 'with' : 'without'} a bias, weight ${transposeWeight ? '[O, I]' : '[I, O]'}`,
      inputs: () => [
        tensorOf([5, 3]),
        tensorOf(transposeWeight ? [4, 3] : [3, 4], { seed: 2 }),
        tensorOf([4]),
      ],
      ours: (i: tf.Tensor[]) => ours.linear(linearOptions(i, { withBias, transposeWeight })),
      plain: (i: tf.Tensor[]) => plain.linear(linearOptions(i, { withBias, transposeWeight })),
    })),
  ),
  ...[
    [0.25, 0, 0.75, 0, 1],
    [0, 0, 0, 0.5, 0],
    new Array<number>(5).fill(0),
    new Array<number>(5).fill(1),
  ].map((shares) => ({
    title: `expertOutput, with the shares ${shares.join(', ')}`,
    inputs: () => [
      tensorOf([5, 3]),
      tf.tensor(shares, [5, 1]),
      ...[2, 3].map((seed) => tensorOf([4, 3], { seed })),
      tensorOf([3, 4], { seed: 4 }),
    ],
    ours: (i: tf.Tensor[]) => ours.expertOutput(expertOptions(i, shares)),
    plain: (i: tf.Tensor[]) => plain.expertOutput(expertOptions(i, shares)),
  })),
  ...[true, false].map((normalized) => ({
    title: `chosenOnly, ${normalized ? 'normalized' : 'not normalized'}`,
    inputs: () => [tensorOf([4, 6], { scale: 3 })],
    ours: (i: tf.Tensor[]) => ours.chosenOnly({ logits: at(i, 0), chosen: 2, normalized }),
    plain: (i: tf.Tensor[]) => plain.chosenOnly({ logits: at(i, 0), chosen: 2, normalized }),
  })),
  {
    title: 'layerNorm',
    inputs: () => [tensorOf([5, 8], { scale: 3 }), tensorOf([8], { seed: 2 }), tensorOf([8], { seed: 3 })],
    ours: (i) => ours.layerNorm({ x: at(i, 0), scale: at(i, 1), bias: at(i, 2), epsilon: 1e-5 }),
    plain: (i) => plain.layerNorm({ x: at(i, 0), scale: at(i, 1), bias: at(i, 2), epsilon: 1e-5 }),
  },
  {
    title: 'layerNorm of rows in three dimensions',
    inputs: () => [tensorOf([2, 3, 4]), tensorOf([4], { seed: 2 }), tensorOf([4], { seed: 3 })],
    ours: (i) => ours.layerNorm({ x: at(i, 0), scale: at(i, 1), bias: at(i, 2), epsilon: 1e-5 }),
    plain: (i) => plain.layerNorm({ x: at(i, 0), scale: at(i, 1), bias: at(i, 2), epsilon: 1e-5 }),
  },
  {
    title: 'rmsNorm',
    inputs: () => [tensorOf([5, 8], { scale: 3 }), tensorOf([8], { seed: 2 })],
    ours: (i) => ours.rmsNorm({ x: at(i, 0), scale: at(i, 1), epsilon: 1e-5 }),
    plain: (i) => plain.rmsNorm({ x: at(i, 0), scale: at(i, 1), epsilon: 1e-5 }),
  },
  {
    title: 'linear of rows in three dimensions',
    inputs: () => [tensorOf([2, 3, 4]), tensorOf([4, 5], { seed: 2 }), tensorOf([5], { seed: 3 })],
    ours: (i) => ours.linear({ x: at(i, 0), weight: at(i, 1), bias: at(i, 2) }),
    plain: (i) =>
      tf.reshape(
        plain.linear({ x: tf.reshape(at(i, 0), [6, 4]), weight: at(i, 1), bias: at(i, 2) }),
        [2, 3, 5],
      ),
  },
  {
    title: 'gelu',
    inputs: () => [tensorOf([4, 25], { scale: 6 })],
    ours: (i) => ours.gelu(at(i, 0)),
    plain: (i) => plain.gelu(at(i, 0)),
  },
  {
    title: 'swiGlu',
    inputs: () => [tensorOf([4, 25], { scale: 6 }), tensorOf([4, 25], { seed: 2 })],
    ours: (i) => ours.swiGlu({ gate: at(i, 0), up: at(i, 1) }),
    plain: (i) => plain.swiGlu({ gate: at(i, 0), up: at(i, 1) }),
  },
  ...[8, 4].map((rotaryDim) => ({
    title: `rotary of ${rotaryDim} elements of 8`,
    inputs: () => [tensorOf([5, 24])],
    ours: (i: tf.Tensor[]) => ours.rotary(rotaryOptions(i, rotaryDim)),
    plain: (i: tf.Tensor[]) => plain.rotary(rotaryOptions(i, rotaryDim)),
  })),
  {
    title: 'embeddingLookup with repeated ids',
    inputs: () => [tensorOf([5, 4])],
    ours: (i) => ours.embeddingLookup({ table: at(i, 0), ids: ids() }),
    plain: (i) => plain.embeddingLookup({ table: at(i, 0), ids: ids() }),
  },
  {
    title: 'causalAttention',
    inputs: () => [1, 2, 3].map((seed) => tensorOf([2, 2, 3, 4], { seed, scale: 2 })),
    ours: (i) => ours.causalAttention({ query: at(i, 0), key: at(i, 1), value: at(i, 2), mask: mask() }),
    plain: (i) => plain.causalAttention({ query: at(i, 0), key: at(i, 1), value: at(i, 2), mask: mask() }),
  },
  {
    title: 'causalAttention with dropout',
    inputs: () => [1, 2, 3].map((seed) => tensorOf([2, 2, 3, 4], { seed, scale: 2 })),
    ours: (i) => ours.causalAttention(dropoutOptions(i)),
    plain: (i) => plain.causalAttention(dropoutOptions(i)),
  },
  {
    title: 'crossEntropy',
    inputs: () => [tensorOf([5, 6], { scale: 4 })],
    ours: (i) => ours.crossEntropy({ logits: at(i, 0), targets: targets() }),
    plain: (i) => plain.crossEntropy({ logits: at(i, 0), targets: targets() }),
  },
];

const dropoutOptions = (i: tf.Tensor[]): CausalAttentionOptions => ({
  ...{ query: at(i, 0), key: at(i, 1), value: at(i, 2), mask: mask() },
  dropout: tf.tensor(
    Array.from({ length: 36 }, (_, index) => (index % 3 === 1 ? 0 : 1.5)),
    [2, 2, 3, 3],
  ),
});

function rotaryOptions(i: tf.Tensor[], rotaryDim: number): RotaryOptions {
  const angles = tensorOf([5, rotaryDim / 2], { seed: 4, scale: 9 });
  return { x: at(i, 0), headDim: 8, cosines: tf.cos(angles), sines: tf.sin(angles) };
}

function linearOptions(
  i: tf.Tensor[],
  choice: { withBias: boolean; transposeWeight: boolean },
): LinearOptions {
  const bias = choice.withBias ? at(i, 2) : undefined;
  return { x: at(i, 0), weight: at(i, 1), bias, transposeWeight: choice.transposeWeight };
}

/** The value, then the gradient of sum(value * fixed numbers) by each input; null where there is none. */
function valueAndGradients(operation: Case['ours'], inputs: tf.Tensor[]): (Float32Array | null)[] {
  const loss = () => {
    const value = operation(inputs);
    return tf.sum(tf.mul(value, tensorOf(value.shape, { seed: 9 })));
  };
  const { grads } = tf.engine().gradients(loss, inputs, undefined, true);
  return [operation(inputs), ...grads].map((t) => (t ? (t.dataSync() as Float32Array) : null));
}

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  beforeAll(async () => {
    await ours.openTensorBackend({ backend, threads: 2 });
  });

  test.each(cases)('$title has the value and the gradients of the plain tape', (operation) => {
    tf.tidy(() => {
      const inputs = operation.inputs();
      const found = valueAndGradients(operation.ours, inputs);
      const wanted = valueAndGradients(operation.plain, inputs);
      const errors = wanted.map((w, i) => (w === null ? found[i] : relativeError(found[i] ?? [], w)));
      expect(errors.map((error) => error === null || (error as number) < 1e-5)).toEqual(
        errors.map(() => true),
      );
    });
  });
});
