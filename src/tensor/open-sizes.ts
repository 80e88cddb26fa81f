import * as tf from '@tensorflow/tfjs-core';

/**
 * Whether the active backend compiles a graph once for all sizes (`withOpenSizes`). Its products are then expected to have
 * the same bits in a row however many rows there are; whoever relies on it compares them first.
 */
export function hasOpenSizes(): boolean {
  const backend: object = tf.backend();
  return opensSizes(backend) && backend.isNative;
}

/**
 * Records a pass that comes in many sizes, such as batches of any width: a backend that compiles graphs then compiles it
 * once. What is pending besides it must have been recorded in the same way; otherwise every size is compiled.
 */
export function withOpenSizes<Result>(record: () => Result): Result {
  const backend: object = tf.backend();
  return opensSizes(backend) ? backend.withOpenSizes(record) : record();
}

interface OpenSizes {
  readonly isNative: boolean;
  withOpenSizes<Result>(record: () => Result): Result;
}

const opensSizes = (backend: object): backend is OpenSizes => 'withOpenSizes' in backend;
