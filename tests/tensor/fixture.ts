import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';

export interface ListedTensor {
  readonly shape: number[];
  readonly values: number[];
}

/** Reads a file that a script in tests/fixtures/tensor wrote. */
export function readFixture<Content>(name: string): Content {
  return JSON.parse(readFileSync(new URL(`../fixtures/tensor/${name}`, import.meta.url), 'utf8')) as Content;
}

export function fromFixture({ shape, values }: ListedTensor): tf.Tensor {
  return tf.tensor(values, shape, 'float32');
}
