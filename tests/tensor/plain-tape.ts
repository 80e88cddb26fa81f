import * as tf from '@tensorflow/tfjs-core';
import type { SwiGluOptions } from '../../src/tensor/ops/activations.ts';
import type { CausalAttentionOptions } from '../../src/tensor/ops/attention.ts';
import type { ExpertOptions } from '../../src/tensor/ops/expert.ts';
import type { EmbeddingLookupOptions, LinearOptions } from '../../src/tensor/ops/linear.ts';
import type { LogitsAndTargets } from '../../src/tensor/ops/losses.ts';
import type { LayerNormOptions, RmsNormOptions } from '../../src/tensor/ops/normalization.ts';
import type { RotaryOptions } from '../../src/tensor/ops/rotary.ts';

// Every operation as its plain formula, differentiated by tfjs's own tape: the reference for those of src/tensor/ops.

export function linear({ x, weight, bias, transposeWeight = false }: LinearOptions): tf.Tensor {
  const product = tf.matMul(x, weight, false, transposeWeight);
  return bias === undefined ? product : tf.add(product, bias);
}

export function layerNorm({ x, scale, bias, epsilon }: LayerNormOptions): tf.Tensor {
  const centered = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.mul(centered, centered), -1, true);
  return tf.add(tf.mul(tf.div(centered, tf.sqrt(tf.add(variance, epsilon))), scale), bias);
}

export function rmsNorm({ x, scale, epsilon }: RmsNormOptions): tf.Tensor {
  return tf.mul(tf.div(x, tf.sqrt(tf.add(tf.mean(tf.mul(x, x), -1, true), epsilon))), scale);
}

export function gelu(x: tf.Tensor): tf.Tensor {
  const cube = tf.mul(x, tf.mul(x, x));
  const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, cube)));
  return tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(inner)));
}

export const swiGlu = ({ gate, up }: SwiGluOptions): tf.Tensor =>
  tf.mul(tf.div(gate, tf.add(1, tf.exp(tf.neg(gate)))), up);

export function expertOutput({ x, share, gate, up, down }: ExpertOptions): tf.Tensor {
  const part = (weight: tf.Tensor) => tf.matMul(x, weight, false, true);
  const y = tf.matMul(swiGlu({ gate: part(gate), up: part(up) }), down, false, true);
  return tf.mul(y, share);
}

export function chosenOnly({
  logits,
  chosen,
  normalized,
}: {
  readonly logits: tf.Tensor;
  readonly chosen: number;
  readonly normalized: boolean;
}): tf.Tensor {
  const rows = logits.arraySync() as number[][]; // of two dimensions
  const mask = tf.tensor2d(
    rows.map((row) => {
      const least = row.toSorted((a, b) => b - a)[chosen - 1] ?? 0;
      return row.map((logit) => Number(logit >= least));
    }),
  );
  const kept = tf.mul(tf.exp(logits), mask);
  return tf.div(kept, tf.sum(normalized ? kept : tf.exp(logits), 1, true));
}

/** As a product with a matrix that rotates each pair of a head. */
export function rotary({ x, headDim, cosines, sines }: RotaryOptions): tf.Tensor {
  const [tokens = 0, half = 0] = cosines.shape;
  const [cosine, sine] = [cosines.arraySync(), sines.arraySync()] as [number[][], number[][]]; // of two dimensions
  const element = (token: number) => (from: number, to: number) => {
    const [pair, isSecond] = [to % half, to >= half];
    if (to >= 2 * half) return Number(from === to);
    if (from === to) return cosine[token]?.[pair] ?? 0;
    if (from !== (isSecond ? pair : pair + half)) return 0;
    return (isSecond ? 1 : -1) * (sine[token]?.[pair] ?? 0);
  };
  const indices = [...Array(headDim).keys()];
  const matrices = [...Array(tokens).keys()].map((token) =>
    indices.map((from) => indices.map((to) => element(token)(from, to))),
  );
  return tf.reshape(tf.matMul(tf.reshape(x, [tokens, -1, headDim]), tf.tensor3d(matrices)), x.shape);
}

export function embeddingLookup({ table, ids }: EmbeddingLookupOptions): tf.Tensor {
  const [vocabulary = 0, width = 0] = table.shape;
  const picked = tf.oneHot(tf.cast(tf.reshape(ids, [-1]), 'int32'), vocabulary, 1, 0, 'float32');
  return tf.reshape(tf.matMul(picked, table), [...ids.shape, width]);
}

export function causalAttention({
  query,
  key,
  value,
  mask,
  dropout = tf.scalar(1),
}: CausalAttentionOptions): tf.Tensor {
  const scores = tf.div(tf.matMul(query, key, false, true), Math.sqrt(query.shape.at(-1) ?? 1));
  return tf.matMul(tf.mul(tf.softmax(tf.add(scores, mask)), dropout), value);
}

export function crossEntropy({ logits, targets }: LogitsAndTargets): tf.Tensor {
  const [, vocabulary = 0] = logits.shape;
  const counts = tf.cast(tf.notEqual(targets, tf.scalar(-100, 'int32')), 'float32');
  const picked = tf.oneHot(tf.cast(targets, 'int32'), vocabulary, 1, 0, 'float32');
  return tf.div(tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), picked))), tf.sum(counts));
}
