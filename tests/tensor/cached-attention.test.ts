import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { cachedAttention, openTensorBackend, type TensorBackendName } from '../../src/tensor/index.ts';
import { numbers, relativeError } from './numbers.ts';

interface Sizes {
  readonly queryHeads: number;
  readonly heads: number;
  readonly width: number;
  readonly window?: number;
  readonly scoreCap?: number;
}

const [batch, slots] = [3, 7];
const lengths = Int32Array.of(0, 6, 3);

const cases: readonly Sizes[] = [
  { queryHeads: 2, heads: 2, width: 8 },
  { queryHeads: 6, heads: 2, width: 16 },
  { queryHeads: 4, heads: 1, width: 8, window: 3 },
  { queryHeads: 4, heads: 2, width: 8, scoreCap: 1.5 },
  { queryHeads: 2, heads: 2, width: 5 },
];

/** The result, and the cache once the new keys and values are stored, by the backend or else here. */
async function attend(backend: TensorBackendName, { queryHeads, heads, width, window, scoreCap }: Sizes) {
  await openTensorBackend({ backend, threads: 2 });
  const made = (count: number, seed: number) => numbers(count, { seed, scale: 2 });
  const [keys, values] = [made(batch * heads * slots * width, 1), made(batch * heads * slots * width, 2)];
  const [key, value] = [made(batch * heads * width, 3), made(batch * heads * width, 4)];
  const shape: [number, number, number, number] = [batch, heads, slots, width];
  const { attended, isStored } = cachedAttention({
    query: tf.tensor2d(made(batch * queryHeads * width, 5), [batch, queryHeads * width]),
    key: tf.tensor2d(key, [batch, heads * width]),
    value: tf.tensor2d(value, [batch, heads * width]),
    keys: tf.tensor4d(keys, shape),
    values: tf.tensor4d(values, shape),
    lengths: tf.tensor1d(lengths, 'int32'),
    window,
    scoreCap,
  });
  const result = await attended.data<'float32'>();
  if (!isStored) {
    store(keys, { from: key, heads, width });
    store(values, { from: value, heads, width });
  }
  return { result, keys, values, isStored };
}

function store(
  cache: Float32Array,
  { from, heads, width }: { from: Float32Array; heads: number; width: number },
) {
  for (const [row, length] of lengths.entries())
    for (let head = row * heads; head < (row + 1) * heads; head++)
      cache.set(from.subarray(head * width, (head + 1) * width), (head * slots + length) * width);
}

test.each(cases)(
  '%o gives what the formula gives and leaves the cache with one more token per row',
  async (sizes) => {
    const wanted = await attend('cpu', sizes);
    const found = await attend('onnx', sizes);
    const isNative = process.env.TENSOR_ONNX_RUNNER !== 'binding';
    expect({ cpu: wanted.isStored, onnx: found.isStored }).toEqual({
      cpu: false,
      onnx: isNative && sizes.width % 8 === 0,
    });
    expect(relativeError(found.result, wanted.result)).toBeLessThan(2e-6);
    expect({ keys: found.keys, values: found.values }).toEqual({ keys: wanted.keys, values: wanted.values });
  },
);
