import type * as tf from '@tensorflow/tfjs-core';
import type { ElementType, HostArray } from './element-type.ts';
import { type GraphValue, graphValue } from './graph-value.ts';

interface Written {
  readonly values: tf.BackendValues;
  readonly shape: number[];
  readonly dtype: tf.DataType;
}

/** A value over the elements that a tensor of tfjs was made of. */
export function heldValue({ values, shape, dtype }: Written): GraphValue {
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
    throw new Error(`The onnx backend holds float32, int32 and bool tensors, not ${dtype}.`);
  }
  return graphValue({ shape, type: dtype satisfies ElementType, data: values as HostArray }); // typed by dtype
}
