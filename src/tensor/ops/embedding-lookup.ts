import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import { isFrozen } from './is-frozen.ts';

export interface EmbeddingLookupOptions {
  /** [V, C] */
  readonly table: tf.Tensor;
  /** int32 of any shape, each in 0 .. V - 1 */
  readonly ids: tf.Tensor;
}

/** The rows of `table` named by `ids`: [...ids, C]. Repeated ids add up their gradients in a fixed order; a frozen table has none. */
export function embeddingLookup({ table, ids }: EmbeddingLookupOptions): tf.Tensor {
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
