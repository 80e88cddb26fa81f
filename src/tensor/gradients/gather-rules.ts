import * as tf from '@tensorflow/tfjs-core';
import type { GradientRules } from './gradient-rule.ts';

export const gatherRules: GradientRules = {
  GatherNd: {
    inputs: ['params', 'indices'],
    gradient: (dy, kept) => ({
      params: () => {
        const [params, indices] = [kept.at(0), kept.at(1)];
        return scatterAdd({ dy, indices, shape: params.shape });
      },
    }),
  },
  GatherV2: {
    inputs: ['x', 'indices'],
    gradient: (dy, kept, { axis, batchDims }) => ({
      x: () => {
        const [x, indices] = [kept.at(0), kept.at(1)];
        const along = tf.util.parseAxisParam(axis as number, x.shape)[0] ?? 0;
        const given = batchDims as number; // negative ones count from the end of the indices
        const batches = given < 0 ? given + indices.rank : given;
        return gatherGradient({ dy, indices, shape: x.shape, axis: along, batches });
      },
    }),
  },
  OneHot: {
    inputs: ['indices'],
    gradient: (_, kept) => ({ indices: () => tf.zerosLike(tf.cast(kept.at(0), 'float32')) }),
  },
  UnsortedSegmentSum: {
    inputs: ['segmentIds'],
    gradient: (dy, kept) => ({
      x: () => {
        const ids = kept.at(0);
        const [segments = 0] = dy.shape;
        const known = tf.logicalAnd(
          tf.greaterEqual(ids, tf.scalar(0, 'int32')),
          tf.less(ids, tf.scalar(segments, 'int32')),
        );
        const rows = tf.gather(dy, tf.mul(ids, tf.cast(known, 'int32')));
        const mask = tf.reshape(tf.cast(known, 'float32'), [ids.size, ...dy.shape.slice(1).map(() => 1)]);
        return tf.mul(rows, mask);
      },
    }),
  },
};

/** Adds each gathered slice of dy to the slice it came from, with the gathered axis moved right after the batches. */
function gatherGradient({
  dy,
  indices,
  shape,
  axis,
  batches,
}: {
  /** [batches..., before..., indices..., after...] */
  readonly dy: tf.Tensor;
  /** [batches..., indices...] */
  readonly indices: tf.Tensor;
  /** [batches..., before..., length, after...] */
  readonly shape: number[];
  readonly axis: number;
  readonly batches: number;
}): tf.Tensor {
  const [outer, before, after] = [shape.slice(0, batches), shape.slice(batches, axis), shape.slice(axis + 1)];
  const count = tf.util.sizeFromShape(outer);
  const each = indices.size / Math.max(1, count);
  const slices = tf.reshape(dy, [...outer, ...before, each, ...after]);
  const others = [...shape.keys()].filter((i) => i >= batches && i !== axis);
  const order = [...shape.keys()].slice(0, batches).concat(axis, others);
  const rows = tf.reshape(axis === batches ? slices : tf.transpose(slices, order), [
    indices.size,
    ...before,
    ...after,
  ]);
  const length = shape[axis] ?? 0;
  const ids = idsInBatches({ indices, count, length });
  const sums = tf.reshape(tf.unsortedSegmentSum(rows, ids, count * length), [
    ...outer,
    length,
    ...before,
    ...after,
  ]);
  return axis === batches ? sums : tf.transpose(sums, tf.backend_util.getUndoAxesPermutation(order));
}

/** Each index when the `count` batches, each of length `length`, are concatenated. */
function idsInBatches({
  indices,
  count,
  length,
}: {
  readonly indices: tf.Tensor;
  readonly count: number;
  readonly length: number;
}): tf.Tensor1D {
  const whole = tf.cast(indices, 'int32');
  const batched =
    count === 1
      ? whole
      : tf.add(
          tf.reshape(whole, [count, -1]),
          tf.mul(tf.reshape(tf.range(0, count, 1, 'int32'), [count, 1]), tf.scalar(length, 'int32')),
        );
  return tf.reshape(batched, [indices.size]) as tf.Tensor1D; // reshaped to one dimension
}

/** Adds dy into zeros of `shape` at indices [..., K], each row an index into the first K dimensions of `shape`. */
function scatterAdd({
  dy,
  indices,
  shape,
}: {
  readonly dy: tf.Tensor;
  readonly indices: tf.Tensor;
  readonly shape: number[];
}): tf.Tensor {
  const depth = indices.shape.at(-1) ?? 0;
  const outer = shape.slice(0, depth);
  const inner = tf.util.sizeFromShape(shape.slice(depth));
  const strides = outer.map((_, i) => tf.util.sizeFromShape(outer.slice(i + 1)));
  const rows = tf.util.sizeFromShape(indices.shape.slice(0, -1));
  const flat = tf.sum(tf.mul(tf.reshape(indices, [rows, depth]), tf.tensor1d(strides, 'int32')), 1);
  const ids = tf.cast(flat, 'int32') as tf.Tensor1D; // summed to one dimension
  const sums = tf.unsortedSegmentSum(tf.reshape(dy, [rows, inner]), ids, tf.util.sizeFromShape(outer));
  return tf.reshape(sums, shape);
}
