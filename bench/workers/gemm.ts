import * as tf from '@tensorflow/tfjs-core';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { serve } from './serve.ts';

await openTensorBackend({ backend: 'onnx', threads: 2 });

await serve(async ({ m, k, n, rounds }: { m: number; k: number; n: number; rounds: number }) => {
  const [a, b] = [tf.ones([m, k]), tf.ones([k, n])];
  await Promise.all([a.data(), b.data()]);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const product = tf.matMul(a, b);
    await product.data();
    product.dispose();
    times.push((performance.now() - start) / 1000);
  }
  tf.dispose([a, b]);
  return { seconds: times.sort((x, y) => x - y)[rounds >> 1] ?? 0 };
});
