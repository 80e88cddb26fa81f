import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  constantWeights,
  expertOutput,
  linear,
  openTensorBackend,
  swiGlu,
  type TensorBackendName,
} from '../../src/tensor/index.ts';
import { dequantizeWeight, quantizeWeight } from '../../src/tensor/ops/quantize-weight.ts';
import { numbers, relativeError, tensorOf } from './numbers.ts';

const [inputs, outputs, rows] = [70, 24, 5]; // the last block of each column is partial

describe.each<TensorBackendName>(['cpu', 'onnx'])('on the %s backend', (backend) => {
  beforeAll(() => openTensorBackend({ backend, threads: 2 }));

  test.each([false, true])(
    'constant weights give the same products as others (transposed: %s)',
    (transposeWeight) => {
      const x = tensorOf([rows, inputs], { seed: 1 });
      const weight = tf.variable(
        tensorOf(transposeWeight ? [outputs, inputs] : [inputs, outputs], { seed: 2 }),
      );
      const bias = tensorOf([outputs], { seed: 3 });
      const product = () => tf.tidy(() => linear({ x, weight, bias, transposeWeight }).dataSync());
      const wanted = product();
      const constant = constantWeights({ tensors: [weight, bias], precision: 'float32' });
      const found = product();
      constant[Symbol.dispose]();
      expect(relativeError(found, wanted)).toBeLessThan(1e-6);
    },
  );

  test.each([false, true])(
    'weights in 8 bits give products within their rounding (transposed: %s)',
    (transposeWeight) => {
      const x = tensorOf([rows, inputs], { seed: 1 });
      const shape: [number, number] = transposeWeight ? [outputs, inputs] : [inputs, outputs];
      const data = numbers(inputs * outputs, { seed: 2 });
      const weight = tf.variable(tf.tensor2d(data, shape));
      const matrix = { inputs, outputs, transposed: transposeWeight };
      const rounded = tf.tensor2d(dequantizeWeight(quantizeWeight({ data, ...matrix }, 8), matrix), shape);
      const exact = tf.matMul(x as tf.Tensor2D, rounded, false, transposeWeight).dataSync();
      const tensors = tf.memory().numTensors;
      const constant = constantWeights({ tensors: [weight], precision: 'int8' });
      const found = tf.tidy(() => linear({ x, weight, transposeWeight }).dataSync());
      constant[Symbol.dispose]();
      // Exact on the cpu backend; the native runner rounds each block of x to 8 bits as well.
      expect(relativeError(found, exact)).toBeLessThan(backend === 'cpu' ? 1e-6 : 1e-2);
      expect(tf.memory().numTensors).toBe(tensors);
      const after = tf.tidy(() => linear({ x, weight, transposeWeight }).dataSync());
      expect(
        relativeError(
          after,
          tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D, false, transposeWeight).dataSync(),
        ),
      ).toBeLessThan(1e-6);
    },
  );

  test('an expert with weights in 8 bits is computed from products with them', () => {
    const x = tensorOf([5, inputs], { seed: 1 });
    const share = tf.tensor2d([[1], [0], [0.5], [0], [1]]);
    const [gate, up, down] = [
      tf.variable(tensorOf([outputs, inputs], { seed: 2 })),
      tf.variable(tensorOf([outputs, inputs], { seed: 3 })),
      tf.variable(tensorOf([inputs, outputs], { seed: 4 })),
    ] as const;
    const product = (x: tf.Tensor, weight: tf.Tensor) => linear({ x, weight, transposeWeight: true });
    const constant = constantWeights({ tensors: [gate, up, down], precision: 'int8' });
    const [found, wanted] = tf.tidy(() => [
      expertOutput({ x, share, gate, up, down }).dataSync(),
      product(tf.mul(swiGlu({ gate: product(x, gate), up: product(x, up) }), share), down).dataSync(),
    ]);
    constant[Symbol.dispose]();
    expect(found).toEqual(wanted);
  });

  test('a weight that changes once it is no longer constant is used with its new values', () => {
    const weight = tf.variable(tensorOf([inputs, outputs]));
    const x = tf.ones([1, inputs]);
    const product = () => tf.tidy(() => linear({ x, weight }).dataSync());
    const constant = constantWeights({ tensors: [weight], precision: 'float32' });
    product();
    constant[Symbol.dispose]();
    (weight.dataSync() as Float32Array).fill(2);
    expect([...new Set(product())]).toEqual([2 * inputs]);
  });
});

test('a matrix in 8 bits is off by at most half a step and keeps the largest weight of each block', () => {
  const matrix = { inputs: 70, outputs: 3, transposed: true };
  const data = numbers(210, { seed: 5, scale: 4 });
  const quantized = quantizeWeight({ data, ...matrix }, 8);
  const back = dequantizeWeight(quantized, matrix);
  const largestStep = Math.max(...quantized.scales);
  expect(Math.max(...data.map((value, i) => Math.abs(value - (back[i] ?? 0))))).toBeLessThanOrEqual(
    0.5001 * largestStep,
  );
  const firstBlock = (values: Float32Array) => Math.max(...values.subarray(0, 32).map(Math.abs));
  expect(firstBlock(back)).toBeCloseTo(firstBlock(data), 6);
});

test('zeros stay zeros in 8 bits', () => {
  const matrix = { inputs: 32, outputs: 2, transposed: false };
  const zeros = new Float32Array(64);
  expect(dequantizeWeight(quantizeWeight({ data: zeros, ...matrix }, 8), matrix)).toEqual(zeros);
});
