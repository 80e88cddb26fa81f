import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  disposeWeight,
  floatWeight,
  linear,
  openTensorBackend,
  roundedVariable,
  type TensorBackendName,
} from '../../src/tensor/index.ts';
import { dequantizeWeight, quantizeWeight } from '../../src/tensor/ops/quantize-weight.ts';
import { numbers, relativeError, tensorOf } from './numbers.ts';

const [inputs, outputs, rows] = [96, 24, 5];

const kinds = [4, 8].flatMap((bits) =>
  [false, true].map((transposed) => [bits as 4 | 8, transposed] as const),
);

describe.each<TensorBackendName>(['cpu', 'onnx'])('a quantized matrix on the %s backend', (backend) => {
  beforeAll(() => openTensorBackend({ backend, threads: 2 }));

  test.each(kinds)(
    'in %i bits (transposed: %s) gives the products and gradients of its rounded weights',
    (bits, transposed) => {
      const { numTensors } = tf.memory();
      const shape: [number, number] = transposed ? [outputs, inputs] : [inputs, outputs];
      const data = numbers(inputs * outputs, { seed: 2 });
      const matrix = { inputs, outputs, transposed };
      const rounded = dequantizeWeight(quantizeWeight({ data, ...matrix }, bits), matrix);
      const weight = roundedVariable(data, { shape, transposed, bits, products: 'exact' });
      const x = tensorOf([rows, inputs], { seed: 1 });
      const float = tf.variable(tf.tensor2d(rounded, shape), false);
      const valueAndGradient = (weight: tf.Tensor) =>
        tf.tidy(() => {
          const multiply = (x: tf.Tensor) =>
            tf.sum(tf.square(linear({ x, weight, transposeWeight: transposed })));
          const { value, grad } = tf.valueAndGrad(multiply)(x);
          return [value.dataSync<'float32'>(), grad.dataSync<'float32'>()] as const;
        });
      const [value, gradient] = valueAndGradient(weight);
      const [wanted, wantedGradient] = valueAndGradient(float);
      expect(relativeError(value, wanted)).toBeLessThan(1e-5);
      expect(relativeError(gradient, wantedGradient)).toBeLessThan(1e-5);
      const read = tf.tidy(() => floatWeight(weight).dataSync<'float32'>());
      expect(relativeError(read, rounded)).toBeLessThan(1e-6);
      expect(() => weight.dataSync()).toThrow('disposed');
      disposeWeight(weight);
      tf.dispose([x, float]);
      expect(tf.memory().numTensors - numTensors).toBeLessThanOrEqual(1); // the float variable's first value
    },
  );
});

test('weights that come from 4 or 8 bits stay as they are', () => {
  for (const bits of [4, 8] as const) {
    const matrix = { inputs, outputs, transposed: true };
    const data = numbers(inputs * outputs, { seed: 3 });
    const once = dequantizeWeight(quantizeWeight({ data, ...matrix }, bits), matrix);
    const twice = dequantizeWeight(quantizeWeight({ data: once, ...matrix }, bits), matrix);
    expect(twice).toEqual(once);
    const far = data.map((value, index) => Math.abs(value - (once[index] ?? 0)));
    expect(Math.max(...far)).toBeLessThan(bits === 4 ? 0.13 : 0.005);
  }
});
