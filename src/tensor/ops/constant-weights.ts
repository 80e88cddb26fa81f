import * as tf from '@tensorflow/tfjs-core';
import { markConstant } from '../memory.ts';
import { fused, hasKernel } from './custom-gradient.ts';

/** How products with weights are computed: in float32, or with weights rounded to 8 bits in blocks. */
export type WeightPrecision = 'float32' | 'int8';

interface ConstantWeightsOptions {
  readonly tensors: readonly tf.Tensor[];
  readonly precision: WeightPrecision;
}

/**
 * Marks weights as constant until the result is disposed of, so that a backend may pack them once for all products.
 * With `int8`, `linear` rounds the matrices among them to 8 bits. Not for weights that are being trained.
 */
export function constantWeights({ tensors, precision }: ConstantWeightsOptions): Disposable {
  const quantized =
    precision === 'int8' ? quantizeOnUse(tensors.filter(({ rank }) => rank === 2)) : undefined;
  const release = markConstant(tensors);
  return {
    [Symbol.dispose]: () => {
      release();
      quantized?.[Symbol.dispose]();
    },
  };
}

/** Matrices that `linear` takes in 8 bits, by their dataId. */
const entries = new WeakMap<object, QuantizedMatrixEntry>();

interface QuantizedMatrixEntry {
  readonly data: Float32Array;
  /** Rounded on first use, once for the matrix itself and once for its transpose. */
  readonly byTransposed: Map<boolean, QuantizedWeight>;
}

/** A matrix in 8 bits, as tensors of the active backend. */
interface QuantizedWeight {
  /** The product with rows [N, I]: [N, O]. */
  readonly product: (x: tf.Tensor) => tf.Tensor;
  readonly dispose: () => void;
}

function quantizeOnUse(matrices: readonly tf.Tensor[]): Disposable {
  const added = matrices.map((matrix) => {
    const entry: QuantizedMatrixEntry = { data: matrix.dataSync<'float32'>(), byTransposed: new Map() };
    entries.set(matrix.dataId, entry);
    return { key: matrix.dataId, entry };
  });
  return {
    [Symbol.dispose]: () => {
      for (const { key, entry } of added) {
        entries.delete(key);
        for (const weight of entry.byTransposed.values()) weight.dispose();
      }
    },
  };
}

/** Whether `linear` takes a matrix in 8 bits. */
export const isRounded = (weight: tf.Tensor): boolean => entries.has(weight.dataId);

/** The product of rows [N, I] and a matrix that is taken in 8 bits; undefined for any other matrix. */
export function quantizedProduct(
  x: tf.Tensor,
  { weight, transposed }: { readonly weight: tf.Tensor; readonly transposed: boolean },
): tf.Tensor | undefined {
  const entry = entries.get(weight.dataId);
  if (entry === undefined) return undefined;
  const [rows = 0, columns = 0] = weight.shape;
  const [inputs, outputs] = transposed ? [columns, rows] : [rows, columns];
  const known = entry.byTransposed.get(transposed);
  const quantized = known ?? quantizedWeight({ data: entry.data, inputs, outputs, transposed });
  if (known === undefined) entry.byTransposed.set(transposed, quantized);
  return quantized.product(x);
}

function quantizedWeight(matrix: MatrixToQuantize): QuantizedWeight {
  const quantized = quantizeWeight(matrix);
  const { inputs, outputs, transposed } = matrix;
  if (!hasKernel('QuantizedMatMul')) {
    const shape: [number, number] = transposed ? [outputs, inputs] : [inputs, outputs];
    const rounded = tf.keep(tf.tensor2d(dequantizeWeight(quantized, matrix), shape));
    return {
      product: (x) => tf.matMul(x as tf.Tensor2D, rounded, false, transposed),
      dispose: () => rounded.dispose(),
    };
  }
  const blocks = Math.ceil(inputs / BLOCK);
  // tfjs has no uint8 tensors: four bytes make one int32.
  const packed = new Int32Array(quantized.bytes.buffer);
  const bytes = tf.keep(tf.tensor(packed, [outputs, blocks, BLOCK / 4], 'int32'));
  const scales = tf.keep(tf.tensor2d(quantized.scales, [outputs, blocks]));
  const release = markConstant([bytes, scales]);
  const attributes = { inputs, outputs, block: BLOCK };
  return {
    product: (x) => fused('QuantizedMatMul', { inputs: { x, bytes, scales }, attributes })?.[0] ?? x,
    dispose: () => {
      release();
      tf.dispose([bytes, scales]);
    },
  };
}

/** Consecutive weights along the summed dimension that share one scale. */
const BLOCK = 32;

/** The byte for 0. */
const ZERO = 128;
const LARGEST = 127;

interface MatrixToQuantize {
  readonly data: Float32Array;
  /** I, the dimension that a product sums over. */
  readonly inputs: number;
  /** O */
  readonly outputs: number;
  /** The matrix is [O, I], not [I, O]. */
  readonly transposed: boolean;
}

interface QuantizedMatrix {
  /** [O, ceil(I / BLOCK), BLOCK], each the weight / scale, rounded, + 128 */
  readonly bytes: Uint8Array;
  /** [O, ceil(I / BLOCK)] */
  readonly scales: Float32Array;
}

/** Rounds a matrix to 8 bits, symmetrically around 0, so that the largest weight of each block keeps its value. */
export function quantizeWeight({ data, inputs, outputs, transposed }: MatrixToQuantize): QuantizedMatrix {
  const blocks = Math.ceil(inputs / BLOCK);
  const bytes = new Uint8Array(outputs * blocks * BLOCK).fill(ZERO);
  const scales = new Float32Array(outputs * blocks);
  const [step, stride] = transposed ? [1, inputs] : [outputs, 1]; // between inputs, and between outputs
  for (let output = 0; output < outputs; output++)
    for (let block = 0; block < blocks; block++) {
      const start = block * BLOCK;
      const end = Math.min(start + BLOCK, inputs);
      let largest = 0;
      for (let input = start; input < end; input++)
        largest = Math.max(largest, Math.abs(data[output * stride + input * step] ?? 0));
      const index = output * blocks + block;
      const scale = Math.fround(largest / LARGEST);
      scales[index] = scale;
      if (scale === 0) continue;
      for (let input = start; input < end; input++)
        bytes[index * BLOCK + input - start] =
          Math.round((data[output * stride + input * step] ?? 0) / scale) + ZERO;
    }
  return { bytes, scales };
}

/** The matrix that the bytes encode, in the layout of the original. */
export function dequantizeWeight(
  { bytes, scales }: QuantizedMatrix,
  { inputs, outputs, transposed }: Omit<MatrixToQuantize, 'data'>,
): Float32Array {
  const data = new Float32Array(inputs * outputs);
  const blocks = Math.ceil(inputs / BLOCK);
  const [step, stride] = transposed ? [1, inputs] : [outputs, 1];
  for (let output = 0; output < outputs; output++)
    for (let input = 0; input < inputs; input++) {
      const block = output * blocks + Math.floor(input / BLOCK);
      const byte = bytes[block * BLOCK + (input % BLOCK)] ?? ZERO;
      data[output * stride + input * step] = (byte - ZERO) * (scales[block] ?? 0);
    }
  return data;
}
