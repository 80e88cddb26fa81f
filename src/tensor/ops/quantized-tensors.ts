import * as tf from '@tensorflow/tfjs-core';
import { markConstant } from '../memory.ts';
import { fused, hasKernel } from './custom-gradient.ts';
import { inChosenPrecision } from './product-precision.ts';
import { dequantizeWeight, type QuantizedMatrix } from './quantize-weight.ts';

/**
 * How a product with quantized weights is computed: `exact`: with the weights in float32, one matrix at a time; `rounded`:
 * with the rows rounded to 8 bits too, on a backend that can, and the weights packed once.
 */
export type Products = 'exact' | 'rounded';

/** A quantized matrix as tensors of the active backend. */
export interface QuantizedTensors {
  /** The product with rows [N, I]: [N, O]. */
  readonly product: (x: tf.Tensor) => tf.Tensor;
  /** The gradient by x of a product whose gradient is dy [N, O]: [N, I]. */
  readonly gradient: (dy: tf.Tensor) => tf.Tensor;
  /** The matrix in float32: [O, I]. */
  readonly rounded: () => tf.Tensor;
  /** Its rows at int32 ids [N], in float32: [N, I]. */
  readonly rows: (ids: tf.Tensor) => tf.Tensor;
  readonly dispose: () => void;
}

interface Sizes {
  /** I */
  readonly inputs: number;
  /** O */
  readonly outputs: number;
}

export function quantizedTensors(
  matrix: QuantizedMatrix,
  { inputs, outputs, products }: Sizes & { readonly products: Products },
): QuantizedTensors {
  if (!hasKernel('QuantizedMatMul')) return widenedTensors(matrix, { inputs, outputs });
  const { bits, size, zero, scales, minima } = matrix;
  const blocks = scales.length / outputs;
  const rounds = products === 'rounded';
  // tfjs has no uint8 tensors: four bytes make one int32.
  const packed = new Int32Array(matrix.bytes.buffer, matrix.bytes.byteOffset, matrix.bytes.length / 4);
  const stored = {
    bytes: tf.keep(tf.tensor(packed, [outputs, blocks, (size * bits) / 32], 'int32')),
    scales: tf.keep(tf.tensor2d(scales, [outputs, blocks])),
    ...(minima && { minima: tf.keep(tf.tensor2d(minima, [outputs, blocks])) }),
  };
  const offsets = rounds ? offsetsOf(matrix) : undefined;
  const factors = {
    ...{ bytes: stored.bytes, scales: stored.scales },
    ...(offsets && { offsets: tf.keep(tf.tensor2d(offsets, [outputs, blocks])) }),
  };
  const kept = [...new Set(Object.values({ ...stored, ...factors }))];
  const release = rounds ? markConstant(Object.values(factors)) : () => {};
  const attributes = { inputs, outputs, bits, size, zero };
  const run = (
    kernel: string,
    {
      given,
      asked = {},
    }: { given: Readonly<Record<string, tf.Tensor>>; asked?: Readonly<Record<string, boolean>> },
  ) => {
    const [result] = fused(kernel, { inputs: given, attributes: { ...attributes, ...asked } }) ?? [];
    if (result === undefined) throw new Error(`the backend has no ${kernel}`);
    return result;
  };
  // The matrix is widened in two ways: an engine that found one twice in a graph would keep it from one use to the other.
  const widened = (isAgain: boolean) =>
    run('DequantizedMatrix', { given: stored, asked: { again: isAgain } }) as tf.Tensor2D; // [O, I]
  return {
    product: (x) =>
      rounds ? run('QuantizedMatMul', { given: { x, ...factors } }) : multiply(x, widened(false), true),
    gradient: (dy) => multiply(dy, widened(true)),
    rounded: () => widened(false),
    rows: (ids) => run('QuantizedRows', { given: { ids, ...stored } }),
    dispose: () => {
      release();
      tf.dispose(kept);
    },
  };
}

const multiply = (x: tf.Tensor, matrix: tf.Tensor2D, isTransposed = false): tf.Tensor =>
  inChosenPrecision(() => tf.matMul(x as tf.Tensor2D, matrix, false, isTransposed));

/** Of each block, what its weights have beyond scale (number - middle), the product that engines compute; undefined if nothing. */
function offsetsOf({ bits, zero, scales, minima }: QuantizedMatrix): Float32Array | undefined {
  const beyond = 2 ** (bits - 1) - zero;
  if (minima === undefined && beyond === 0) return undefined;
  return scales.map((scale, block) => scale * beyond + (minima?.[block] ?? 0));
}

function widenedTensors(matrix: QuantizedMatrix, sizes: Sizes): QuantizedTensors {
  const data = dequantizeWeight(matrix, { ...sizes, transposed: true });
  const widened = tf.keep(tf.tensor2d(data, [sizes.outputs, sizes.inputs]));
  return {
    product: (x) => multiply(x, widened, true),
    gradient: (dy) => multiply(dy, widened),
    rounded: () => tf.clone(widened),
    rows: (ids) => tf.gather(widened, ids),
    dispose: () => widened.dispose(),
  };
}
