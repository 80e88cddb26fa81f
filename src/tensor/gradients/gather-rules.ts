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
        if (batchDims !== 0)
          throw new Error('The gradient of gather with batch dimensions is not there: use oneHot.');
        const [x, indices] = [kept.at(0), kept.at(1)];
        const along = tf.util.parseAxisParam(axis as number, x.shape)[0] ?? 0;
        return gatherGradient({ dy, indices, shape: x.shape, axis: along });
      },
    }),
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

interface GatherGradient {
  readonly dy: tf.Tensor;
  readonly indices: tf.Tensor;
  readonly shape: number[];
  readonly axis: number;
}

/** Adds each gathered slice of dy back to the place it came from, with the gathered axis first in between. */
function gatherGradient({ dy, indices, shape, axis }: GatherGradient): tf.Tensor {
  const before = shape.slice(0, axis);
  const after = shape.slice(axis + 1);
  const slices = tf.reshape(dy, [...before, indices.size, ...after]);
  const toFirst = [axis, ...[...shape.keys()].filter((i) => i !== axis)];
  const rows = axis === 0 ? slices : tf.transpose(slices, toFirst);
  const ids = tf.reshape(tf.cast(indices, 'int32'), [indices.size]) as tf.Tensor1D; // reshaped to one dimension
  const sums = tf.unsortedSegmentSum(rows, ids, shape[axis] ?? 0);
  return axis === 0 ? sums : tf.transpose(sums, tf.backend_util.getUndoAxesPermutation(toFirst));
}

interface ScatterAdd {
  readonly dy: tf.Tensor;
  /** [..., K], each row an index into the first K dimensions of `shape` */
  readonly indices: tf.Tensor;
  readonly shape: number[];
}

function scatterAdd({ dy, indices, shape }: ScatterAdd): tf.Tensor {
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
