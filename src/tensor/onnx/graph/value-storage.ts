import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { GraphValue } from './graph-value.ts';

/** Where the recorder finds the values of tensors, and registers new ones. */
export interface ValueStorage {
  graphValueOf(tensor: TensorInfo): GraphValue;
  register(value: GraphValue): object;
  addReference(tensor: TensorInfo): void;
  /** Gives a tensor another value; what was recorded before keeps the old one. */
  replace(tensor: TensorInfo, value: GraphValue): void;
}

const refuse = () => {
  throw new Error('This graph has no tfjs tensors.');
};

/** For graphs that are recorded without tensors of tfjs. */
export const noTensors: ValueStorage = {
  graphValueOf: refuse,
  register: refuse,
  addReference: refuse,
  replace: refuse,
};
