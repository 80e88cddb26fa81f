import * as tf from '@tensorflow/tfjs-core';
import { openTensorBackend, type TensorBackendName } from '../../src/tensor/index.ts';
import { serve } from './serve.ts';

// `node gemm.mjs [BACKEND]`. With `sums`, only the sum of a product is read: its transfer does not count.
const [backend = 'onnx'] = process.argv.slice(2);
await openTensorBackend({ backend: backend as TensorBackendName, threads: 2 });

interface Work {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly rounds: number;
  readonly sums?: boolean;
}

await serve(async ({ m, k, n, rounds, sums = false }: Work) => {
  const [a, b] = [tf.ones([m, k]), tf.ones([k, n])];
  await Promise.all([a.data(), b.data()]);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const product = tf.tidy(() => (sums ? tf.sum(tf.matMul(a, b)) : tf.matMul(a, b)));
    await product.data();
    product.dispose();
    times.push((performance.now() - start) / 1000);
  }
  tf.dispose([a, b]);
  return { seconds: times.sort((x, y) => x - y)[rounds >> 1] ?? 0 };
});
