import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { embeddingLookup, openTensorBackend } from '../../src/tensor/index.ts';
import { tensorOf } from './numbers.ts';
import { TinyGpt } from './tiny-gpt.ts';

// A program: prints the digests of the gradients of an embedding with many repeated ids, and of a GPT.
await openTensorBackend({ backend: 'onnx', threads: 2 });
const digest = (tensors: readonly tf.Tensor[]) => {
  const hash = createHash('sha256');
  for (const tensor of tensors) hash.update(Buffer.from((tensor.dataSync() as Float32Array).slice().buffer));
  return hash.digest('hex');
};

const ids = tf.tensor(
  Array.from({ length: 512 }, (_, i) => (i * i) % 13),
  [8, 64],
  'int32',
);
const lookup = (table: tf.Tensor) =>
  tf.mul(embeddingLookup({ table, ids }), tensorOf([8, 64, 96], { seed: 3 }));
console.log(digest([tf.grad(lookup)(tensorOf([13, 96]))]));

const model = new TinyGpt({ layers: 2, width: 64, heads: 4, vocabulary: 50, positions: 64 });
const { value, grads } = tf.variableGrads(() => model.loss(ids, ids), model.variables);
console.log(digest([value, ...model.variables.map((variable) => grads[variable.name] ?? value)]));
