import * as tf from '@tensorflow/tfjs-core';
import { type GradientRule, type GradientRules, sumToShape } from './gradient-rule.ts';

const likeInput = (input: string): GradientRule => ({
  inputs: [input],
  gradient: (dy, kept) => ({ [input]: () => tf.reshape(dy, kept.at(0).shape) }),
});

export const shapeRules: GradientRules = {
  AddN: {
    allInputs: true,
    gradient: (dy, kept) => Object.fromEntries(kept.tensors.map((_, i) => [i, () => tf.clone(dy)])),
  },
  BroadcastTo: {
    inputs: ['x'],
    gradient: (dy, kept) => ({ x: () => sumToShape(dy, kept.at(0).shape) }),
  },
  Concat: {
    allInputs: true,
    gradient: (dy, kept, { axis }) => {
      const along = tf.util.parseAxisParam(axis as number, dy.shape)[0] ?? 0;
      const sizes = kept.tensors.map((tensor) => tensor.shape[along] ?? 0);
      const parts = tf.split(dy, sizes, along);
      return Object.fromEntries(parts.map((part, i) => [i, () => part]));
    },
  },
  ExpandDims: likeInput('input'),
  Pack: {
    gradient: (dy, _, { axis }) =>
      Object.fromEntries(tf.unstack(dy, axis as number).map((part, i) => [i, () => part])),
  },
  PadV2: {
    inputs: ['x'],
    gradient: (dy, kept, { paddings }) => ({
      x: () =>
        tf.slice(
          dy,
          (paddings as [number, number][]).map(([before]) => before),
          kept.at(0).shape,
        ),
    }),
  },
  Reshape: likeInput('x'),
  Reverse: { gradient: (dy, _, { dims }) => ({ x: () => tf.reverse(dy, dims as number[]) }) },
  Select: {
    inputs: ['condition'],
    gradient: (dy, kept) => ({
      condition: () => tf.zerosLike(tf.cast(kept.at(0), 'float32')),
      t: () => tf.mul(dy, tf.cast(kept.at(0), 'float32')),
      e: () => tf.mul(dy, tf.cast(tf.logicalNot(kept.at(0)), 'float32')),
    }),
  },
  Slice: {
    inputs: ['x'],
    gradient: (dy, kept, { begin, size }) => ({
      x: () => {
        const { shape } = kept.at(0);
        const [start = [], length = []] = tf.slice_util.parseSliceParams(
          kept.at(0),
          begin as number[],
          size as number[],
        );
        const after = shape.map((whole, i) => whole - (start[i] ?? 0) - (length[i] ?? 0));
        return tf.pad(
          dy,
          shape.map((_, i) => [start[i] ?? 0, after[i] ?? 0]),
        );
      },
    }),
  },
  Tile: {
    inputs: ['x'],
    gradient: (dy, kept, { reps }) => ({
      x: () => {
        const { shape } = kept.at(0);
        const split = shape.flatMap((size, i) => [(reps as number[])[i] ?? 1, size]);
        const copies = shape.map((_, i) => 2 * i);
        return tf.reshape(tf.sum(tf.reshape(dy, split), copies), shape);
      },
    }),
  },
  Transpose: {
    gradient: (dy, _, { perm }) => ({
      x: () => tf.transpose(dy, tf.backend_util.getUndoAxesPermutation(perm as number[])),
    }),
  },
};
