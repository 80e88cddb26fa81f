import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import { inChosenPrecision } from './product-precision.ts';
import { quantizedProduct, quantizedRows } from './quantized-weights.ts';

export interface LinearOptions {
  /** [..., I] */
  readonly x: tf.Tensor;
  /** [I, O], or [O, I] with `transposeWeight` */
  readonly weight: tf.Tensor;
  /** [O] */
  readonly bias?: tf.Tensor | undefined;
  /** The weight is stored [O, I], as in a head tied to the token embedding or in a Llama checkpoint. */
  readonly transposeWeight?: boolean | undefined;
}

/**
 * y = x W + b, or x Wᵀ + b with `transposeWeight`: [..., I] -> [..., O]. Frozen variables get no gradient, and neither do
 * quantized weights (see `constantWeights` and `quantizedVariable`).
 */
export function linear({ x, weight, bias, transposeWeight = false }: LinearOptions): tf.Tensor {
  if (x.rank !== 2) {
    const rows = linear({ x: tf.reshape(x, [-1, x.shape.at(-1) ?? 0]), weight, bias, transposeWeight });
    return tf.reshape(rows, [...x.shape.slice(0, -1), rows.shape.at(-1) ?? 0]);
  }
  const rounded = quantizedProduct(x, { weight, transposed: transposeWeight });
  if (rounded !== undefined) return bias === undefined ? rounded : tf.add(rounded, bias);
  const learnsWeight = !isFrozen(weight);
  const learnsBias = bias !== undefined && !isFrozen(bias);
  const inputs = [x, ...(learnsWeight ? [weight] : []), ...(learnsBias ? [bias] : [])];
  return customGradient(inputs, (keep) => {
    keep([x, weight]);
    return {
      value: product({ a: x, b: weight, transposeB: transposeWeight, bias }),
      gradient: (dy, kept) => {
        const [x, weight] = kept as [tf.Tensor, tf.Tensor]; // as kept above
        const dx = product({ a: dy, b: weight, transposeB: !transposeWeight });
        const [a, b] = transposeWeight ? [dy, x] : [x, dy];
        const dWeight = learnsWeight ? [product({ a, b, transposeA: true })] : [];
        return [dx, ...dWeight, ...(learnsBias ? [tf.sum(dy, 0)] : [])];
      },
    };
  });
}

// Calls the kernel directly: tf.fused.matMul would reshape both matrices to three dimensions.
function product({
  a,
  b,
  bias,
  transposeA = false,
  transposeB = false,
}: {
  readonly a: tf.Tensor;
  readonly b: tf.Tensor;
  readonly bias?: tf.Tensor | undefined;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}): tf.Tensor {
  const inputs = bias === undefined ? { a, b } : { a, b, bias };
  const attributes = { transposeA, transposeB, activation: 'linear' };
  return inChosenPrecision(() => tf.engine().runKernel('_FusedMatMul', inputs, attributes) as tf.Tensor); // one output
}

export interface EmbeddingLookupOptions {
  /** [V, C] */
  readonly table: tf.Tensor;
  /** int32 of any shape, each in 0 .. V - 1 */
  readonly ids: tf.Tensor;
}

/**
 * The rows of `table` at `ids`: [...ids, C]. The gradients of repeated ids are added in a fixed order; a frozen table gets
 * none.
 */
export function embeddingLookup({ table, ids }: EmbeddingLookupOptions): tf.Tensor {
  const quantized = quantizedRows(table, ids);
  if (quantized !== undefined) return quantized;
  if (isFrozen(table)) return tf.gather(table, ids);
  const [vocabulary = 0, width = 0] = table.shape;
  return customGradient([table], (keep) => {
    keep([ids]);
    return {
      value: tf.gather(table, ids),
      gradient: (dy, kept) => {
        const [ids] = kept as [tf.Tensor]; // as kept above
        const rows = tf.reshape(dy, [ids.size, width]);
        return [tf.unsortedSegmentSum(rows, tf.reshape(ids, [ids.size]), vocabulary)];
      },
    };
  });
}

/** Whether a tensor is a variable that is not trained, whose gradient is never asked for. */
export const isFrozen = (tensor: tf.Tensor): boolean => tensor instanceof tf.Variable && !tensor.trainable;
