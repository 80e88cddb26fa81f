import * as tf from '@tensorflow/tfjs-core';
import { fused } from './custom-gradient.ts';
import { CHUNK, stepKernels } from './step-kernels.ts';

/** The sum of the squares of all elements, those of each tensor in float32; NaN or Infinity where they give that. */
export function sumOfSquares(tensors: Iterable<tf.Tensor>): number {
  return tf.tidy(() => {
    const sums = Array.from(tensors, (x) => {
      const half = fused('HalfSumOfSquares', { inputs: { x } })?.[0];
      return half === undefined ? tf.sum(tf.square(x)) : tf.mul(half, 2);
    });
    // One read: each waits for the device.
    return tf
      .stack(sums.map((sum) => tf.reshape(sum, [])))
      .dataSync<'float32'>()
      .reduce((total, sum) => total + sum, 0);
  });
}

/** An array that is being summed, and how far. */
interface Stream {
  readonly index: number;
  readonly values: Float32Array;
  at: number;
}

/**
 * The sum of the squares of each array, in double precision: elements at even places and others are added separately, in
 * order. Four arrays are summed at a time, the largest first.
 */
export function sumsOfSquaresOnHost(arrays: readonly Float32Array[]): number[] {
  const totals = arrays.map(() => 0);
  const waiting = arrays
    .flatMap((values, index) => (values.length > 0 ? [{ index, values, at: 0 }] : []))
    .sort((a, b) => a.values.length - b.values.length);
  const { parameter, gradient, firstState, secondState, sums, squares } = stepKernels();
  const places = [parameter, gradient, firstState, secondState].map((room) => ({ room, stream: none }));
  for (;;) {
    for (const [slot, place] of places.entries()) {
      if (place.stream !== undefined || waiting.length === 0) continue;
      place.stream = waiting.pop();
      sums.fill(0, 2 * slot, 2 * slot + 2);
    }
    const rests = places.flatMap(({ stream }) => (stream ? [stream.values.length - stream.at] : []));
    if (rests.length === 0) return totals;
    const width = 4 * Math.ceil(Math.min(CHUNK, ...rests) / 4);
    for (const { room, stream } of places) if (stream !== undefined) copyNext(stream, room, width);
    squares(width);
    for (const [slot, place] of places.entries()) {
      const { stream } = place;
      if (stream === undefined || stream.at < stream.values.length) continue;
      totals[stream.index] = (sums[2 * slot] ?? 0) + (sums[2 * slot + 1] ?? 0);
      place.stream = none;
    }
  }
}

const none: Stream | undefined = undefined as Stream | undefined;

/** The next elements of a stream, up to `width` of them, with zeros behind the last. */
function copyNext(stream: Stream, room: Float32Array, width: number): void {
  const part = stream.values.subarray(stream.at, stream.at + width);
  room.set(part);
  if (part.length < width) room.fill(0, part.length, width);
  stream.at += part.length;
}
