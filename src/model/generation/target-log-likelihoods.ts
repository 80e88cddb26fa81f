import * as tf from '@tensorflow/tfjs-core';

export interface RatedLogits {
  /** [N, V] */
  readonly logits: tf.Tensor;
  /** The token to rate in each row, N. */
  readonly targets: Int32Array;
}

/**
 * log softmax(logits_i)[target_i] of each row, N. A sum's last bits may depend on where a row lies in memory and so on its
 * neighbours; here only the softmax adds up, whose kernels go row by row. Its largest entry is 1 / sum exp(logit - largest).
 */
export async function targetLogLikelihoods({ logits, targets }: RatedLogits): Promise<Float64Array> {
  const [, vocabulary = 0] = logits.shape;
  const rows = tf.tidy(() => {
    const chosen = tf.oneHot(tf.tensor1d(targets, 'int32'), vocabulary, 1, 0, 'float32'); // [N, V]
    return tf.stack([
      tf.sum(tf.mul(logits, chosen), 1), // one number and zeros: exact in any order
      tf.max(logits, 1),
      tf.max(tf.softmax(logits), 1),
    ]); // [3, N]
  });
  const values = await rows.data();
  rows.dispose();
  const [own, largest, share] = [0, 1, 2].map((row) => values.subarray(row * targets.length)) as [
    tf.TypedArray,
    tf.TypedArray,
    tf.TypedArray,
  ]; // three rows
  return Float64Array.from(
    targets,
    (_, row) => (own[row] ?? 0) - (largest[row] ?? 0) + Math.log(share[row] ?? 0),
  );
}
