import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTensorBackend } from '../../../src/tensor/index.ts';
import { backendsUnderTest } from '../../backends-under-test.ts';
import { numbers, relativeError } from '../numbers.ts';

/**
 * Every property draws the same examples each time. The binding, the slower way to call ONNX Runtime, runs a third of them:
 * its graphs are the same.
 */
export const examples = (count: number) => ({
  seed: 20_260,
  numRuns: process.env.TENSOR_ONNX_RUNNER === 'binding' ? Math.ceil(count / 3) : count,
});

/** The backend that is compared with the cpu backend. */
export const backend = backendsUnderTest.at(-1) ?? 'onnx';

/** How far functions may be off that WebGPU's language defines to about 2^-11 only. */
export const looseOnWebgpu = backend === 'webgpu' ? 5e-4 : undefined;

/** For what tfjs-node does differently from the cpu backend; src/tensor/README.md lists it. */
export const unlessTensorflow = test.skipIf(backend === 'tensorflow');

export async function openBothBackends(): Promise<void> {
  await openTensorBackend({ backend: 'cpu' });
  await openTensorBackend({ backend, threads: 2 });
  tf.env().set('IS_TEST', true); // tfjs-core then checks that no kernel leaks data
}

type Operation = () => tf.Tensor | tf.Tensor[];

interface Outcome {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: ArrayLike<number>;
}

/** Runs the operation on the cpu backend and on the one under test, and expects the same tensors. */
export async function expectAgreement(operation: Operation, tolerance = 2e-6): Promise<void> {
  const wanted = await outcomes('cpu', operation);
  const found = await outcomes(backend, operation);
  expect(found.map(spec)).toEqual(wanted.map(spec));
  for (const [i, { values }] of wanted.entries()) {
    const error = relativeError(found[i]?.values ?? [], values);
    if (error > tolerance) expect(Array.from(found[i]?.values ?? [])).toEqual(Array.from(values));
  }
}

const spec = ({ shape, dtype }: Outcome) => ({ shape, dtype });

async function outcomes(backend: string, operation: Operation): Promise<Outcome[]> {
  await tf.setBackend(backend);
  const before = tf.memory();
  const results = [tf.tidy(operation)].flat();
  const read = results.map((t) => ({ shape: t.shape, dtype: t.dtype, values: t.dataSync() }));
  tf.dispose(results);
  const { numTensors, numDataBuffers } = tf.memory();
  expect({ numTensors, numDataBuffers }).toEqual({
    numTensors: before.numTensors,
    numDataBuffers: before.numDataBuffers,
  });
  return read;
}

/** Shapes of rank 0 to 4 with dimensions of 0 to 4. */
export const shapes = (minimumRank = 0): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(4), { minLength: minimumRank, maxLength: 4 });

/** A pair of shapes that broadcast. */
export const broadcastShapes: fc.Arbitrary<[number[], number[]]> = shapes().chain((shape) => {
  const stretched = fc.tuple(...shape.map((size) => fc.constantFrom(size, 1)));
  const other = fc.tuple(stretched, fc.nat(shape.length)).map(([full, dropped]) => full.slice(dropped));
  return fc
    .tuple(fc.constant(shape), other)
    .chain((pair) => fc.shuffledSubarray(pair, { minLength: 2 })) as fc.Arbitrary<[number[], number[]]>;
});

export type TestType = 'float32' | 'int32' | 'bool';

/** A tensor with repeatable content: floats in -3 .. 3, integers in -6 .. 6, or bools. */
export function sample(
  shape: readonly number[],
  { seed = 1, dtype = 'float32' as TestType } = {},
): tf.Tensor {
  const values = numbers(tf.util.sizeFromShape([...shape]), { seed, scale: 3 });
  switch (dtype) {
    case 'float32':
      return tf.tensor(values, [...shape]);
    case 'int32':
      return tf.tensor(
        Int32Array.from(values, (value) => Math.round(2 * value)),
        [...shape],
        'int32',
      );
    case 'bool':
      return tf.tensor(
        Uint8Array.from(values, (value) => (value > 0 ? 1 : 0)),
        [...shape],
        'bool',
      );
    default:
      return dtype satisfies never;
  }
}
