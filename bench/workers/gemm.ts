import * as tf from '@tensorflow/tfjs-core';
import {
  halfPrecisions,
  linear,
  openTensorBackend,
  type ProductPrecision,
  type TensorBackendName,
  withProductPrecision,
} from '../../src/tensor/index.ts';
import { serve } from './serve.ts';

// `node gemm.mjs [BACKEND]`. With `sums`, only the sum of a product is read: its transfer does not count. In half precision
// the factors are rounded in each round.
const [backend = 'onnx'] = process.argv.slice(2);
await openTensorBackend({ backend: backend as TensorBackendName, threads: 2 });

interface Work {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly rounds: number;
  readonly sums?: boolean;
  readonly precision?: ProductPrecision;
}

await serve(async ({ m, k, n, rounds, sums = false, precision = 'float32' }: Work) => {
  const [a, b] = [tf.ones([m, k]), tf.ones([k, n])];
  await Promise.all([a.data(), b.data()]);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const product = tf.tidy(() => {
      const whole = withProductPrecision(precision, () => linear({ x: a, weight: b }));
      return sums ? tf.sum(whole) : whole;
    });
    await product.data();
    product.dispose();
    times.push((performance.now() - start) / 1000);
  }
  tf.dispose([a, b]);
  return {
    seconds: times.sort((x, y) => x - y)[rounds >> 1] ?? 0,
    half_precisions: halfPrecisions(),
  };
});
