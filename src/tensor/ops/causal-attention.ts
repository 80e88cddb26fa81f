import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import { fused } from './fused.ts';

export interface CausalAttentionOptions {
  /** [B, H, T, D] */
  readonly query: tf.Tensor;
  /** [B, H, S, D] */
  readonly key: tf.Tensor;
  /** [B, H, S, D] */
  readonly value: tf.Tensor;
  /** Added to the scores: 0 where a query may look, a large negative number elsewhere. [T, S] or [B, 1, T, S] */
  readonly mask: tf.Tensor;
  /** What the weights are multiplied by in training, 0 or 1 / (1 - rate): [B, H, T, S] */
  readonly dropout?: tf.Tensor | undefined;
}

/**
 * Scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762): softmax(Q Kᵀ / sqrt(D) + mask) V,
 * [B, H, T, D]. Mask and dropout are not differentiated.
 */
export function causalAttention(options: CausalAttentionOptions): tf.Tensor {
  const { query, key, value, mask, dropout } = options;
  const scale = 1 / Math.sqrt(query.shape.at(-1) ?? 1);
  return customGradient([query, key, value], (keep) => {
    const scores = scaledMatMul({ a: query, b: key, transposeB: true, scale }); // [B, H, T, S]
    const weights = tf.softmax(tf.add(scores, mask));
    const kept = dropout === undefined ? weights : tf.mul(weights, dropout);
    const attended = scaledMatMul({ a: kept, b: value });
    keep([query, key, value, weights, attended, ...(dropout === undefined ? [] : [dropout])]);
    return { value: attended, gradient: (dy, kept) => attentionGradient(dy, kept, scale) };
  });
}

/**
 * With P the weights and O = P V: dS = P (dP - rowsum(dP P)), and rowsum(dP P) = rowsum(dO O)
 * (Dao et al. 2022, arXiv:2205.14135, appendix B), which has D columns to add up and not S.
 * With dropout factors F, O = (P F) V and dP = F (dO Vᵀ), and the row sums are the same.
 */
function attentionGradient(dy: tf.Tensor, kept: tf.Tensor[], scale: number): tf.Tensor[] {
  const [query, key, value, weights, attended, dropout] = kept as [
    ...[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor],
    tf.Tensor?,
  ]; // as kept above
  const dropped = (x: tf.Tensor) => (dropout === undefined ? x : tf.mul(x, dropout));
  const dWeights = dropped(scaledMatMul({ a: dy, b: value, transposeB: true })); // [B, H, T, S]
  const rowSums = tf.sum(tf.mul(dy, attended), -1, true); // [B, H, T, 1]
  const dScores = tf.mul(weights, tf.sub(dWeights, rowSums));
  return [
    scaledMatMul({ a: dScores, b: key, scale }),
    scaledMatMul({ a: dScores, b: query, transposeA: true, scale }),
    scaledMatMul({ a: dropped(weights), b: dy, transposeA: true }),
  ];
}

interface ScaledMatMul {
  readonly a: tf.Tensor;
  readonly b: tf.Tensor;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly scale?: number;
}

function scaledMatMul({ a, b, transposeA = false, transposeB = false, scale = 1 }: ScaledMatMul): tf.Tensor {
  if (scale === 1) return tf.matMul(a, b, transposeA, transposeB);
  const attributes = { transposeA, transposeB, scale };
  const result = fused('ScaledMatMul', { inputs: { a, b }, attributes })?.[0];
  return result ?? tf.mul(tf.matMul(a, b, transposeA, transposeB), scale);
}
