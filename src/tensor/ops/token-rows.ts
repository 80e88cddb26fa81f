import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import { embeddingLookup, linear } from './linear.ts';

/** Some rows of a table with a row for each of V tokens, which take the place of its own. */
export interface TokenRows {
  /** [n, C] */
  readonly rows: tf.Tensor;
  readonly places: TokenPlaces;
}

/** Which tokens the rows belong to; the caller disposes of it. */
export interface TokenPlaces {
  /** int32 [n] */
  readonly ids: tf.Tensor;
  /** int32 [V]: the row of a token, 0 for those without. */
  readonly rowOf: tf.Tensor;
  /** [V]: 1 for the tokens that have a row, else 0. */
  readonly isOwn: tf.Tensor;
}

export function tokenPlaces(ids: readonly number[], vocabularySize: number): TokenPlaces {
  const [rowOf, isOwn] = [new Int32Array(vocabularySize), new Float32Array(vocabularySize)];
  for (const [row, id] of ids.entries()) [rowOf[id], isOwn[id]] = [row, 1];
  return {
    ids: tf.keep(tf.tensor1d([...ids], 'int32')),
    rowOf: tf.keep(tf.tensor1d(rowOf, 'int32')),
    isOwn: tf.keep(tf.tensor1d(isOwn)),
  };
}

/** Rows that were looked up in the table, [N, C], with those of the tokens that have their own. */
export function withOwnRows({
  y,
  ids,
  rows,
  places,
}: TokenRows & { readonly y: tf.Tensor; readonly ids: tf.Tensor }): tf.Tensor {
  const own = embeddingLookup({ table: rows, ids: tf.gather(places.rowOf, ids) }); // [N, C]
  const isOwn = tf.reshape(tf.gather(places.isOwn, ids), [-1, 1]); // [N, 1]
  return tf.add(tf.mul(y, tf.sub(1, isOwn)), tf.mul(own, isOwn));
}

/** The table as the head, x tableᵀ + b: [M, V], with the columns of the tokens that have their own row. */
export function withOwnColumns({
  y,
  x,
  bias,
  rows,
  places,
}: TokenRows & {
  readonly y: tf.Tensor;
  readonly x: tf.Tensor;
  /** [V] */
  readonly bias?: tf.Tensor | undefined;
}): tf.Tensor {
  const added = bias && tf.gather(bias, places.ids); // [n]
  const own = linear({ x, weight: rows, bias: added, transposeWeight: true }); // [M, n]
  return customGradient([y, own], (keep) => {
    const { isOwn, rowOf, ids } = places;
    keep([isOwn, ids]);
    const spread = tf.gather(own, rowOf, 1); // [M, V]
    return {
      value: tf.add(tf.mul(y, tf.sub(1, isOwn)), tf.mul(spread, isOwn)),
      gradient: (dy, kept) => {
        const [isOwn, ids] = kept as [tf.Tensor, tf.Tensor]; // as kept above
        return [tf.mul(dy, tf.sub(1, isOwn)), tf.gather(dy, ids, 1)];
      },
    };
  });
}
