import * as tf from '@tensorflow/tfjs-core';
import { fused, hasKernel } from './custom-gradient.ts';

/** A matrix in 8 bits, as tensors of the active backend. */
interface QuantizedWeight {
  /** The product with rows [N, I]: [N, O]. */
  readonly product: (x: tf.Tensor) => tf.Tensor;
  readonly dispose: () => void;
}

interface Entry {
  readonly data: Float32Array;
  /** By whether the matrix is taken as it is or transposed. */
  readonly made: Map<boolean, QuantizedWeight>;
}

const entries = new WeakMap<object, Entry>();

/** From now on `linear` takes these matrices in 8 bits; each is rounded when it is first used. */
export function quantizeOnUse(matrices: readonly tf.Tensor[]): Disposable {
  const added = matrices.map((matrix) => {
    const entry: Entry = { data: matrix.dataSync<'float32'>(), made: new Map() };
    entries.set(matrix.dataId, entry);
    return { key: matrix.dataId, entry };
  });
  return {
    [Symbol.dispose]: () => {
      for (const { key, entry } of added) {
        entries.delete(key);
        for (const weight of entry.made.values()) weight.dispose();
      }
    },
  };
}

interface Factor {
  readonly weight: tf.Tensor;
  readonly transposed: boolean;
}

/** The product of rows [N, I] and a matrix that is to be taken in 8 bits; undefined for any other matrix. */
export function quantizedProduct(x: tf.Tensor, { weight, transposed }: Factor): tf.Tensor | undefined {
  const entry = entries.get(weight.dataId);
  if (entry === undefined) return undefined;
  const [rows = 0, columns = 0] = weight.shape;
  const [inputs, outputs] = transposed ? [columns, rows] : [rows, columns];
  const known = entry.made.get(transposed);
  const made = known ?? quantizedWeight({ data: entry.data, inputs, outputs, transposed });
  if (known === undefined) entry.made.set(transposed, made);
  return made.product(x);
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
  // tfjs has no bytes: four of them are one whole number.
  const packed = new Int32Array(quantized.bytes.buffer);
  const bytes = tf.keep(tf.tensor(packed, [outputs, blocks, BLOCK / 4], 'int32'));
  const scales = tf.keep(tf.tensor2d(quantized.scales, [outputs, blocks]));
  const release = holdConstant([bytes, scales]);
  const attributes = { inputs, outputs, block: BLOCK };
  return {
    product: (x) => fused('QuantizedMatMul', { inputs: { x, bytes, scales }, attributes })?.[0] ?? x,
    dispose: () => {
      release();
      tf.dispose([bytes, scales]);
    },
  };
}

/** Weights of a product that share a scale: so many along the dimension that is summed over. */
const BLOCK = 32;

/** The byte of a weight of 0. */
const ZERO = 128;
const LARGEST = 127;

interface MatrixToQuantize {
  readonly data: Float32Array;
  /** Extent of the dimension that a product sums over, I. */
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

/** Rounds a matrix to 8 bits, symmetrically, so that the largest of each block keeps its value. */
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
      const place = output * blocks + block;
      const scale = Math.fround(largest / LARGEST);
      scales[place] = scale;
      if (scale === 0) continue;
      for (let input = start; input < end; input++)
        bytes[place * BLOCK + input - start] =
          Math.round((data[output * stride + input * step] ?? 0) / scale) + ZERO;
    }
  return { bytes, scales };
}

/** The matrix that the bytes stand for, in the order of the one that was rounded. */
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

/** A backend that can prepare tensors once for all graphs that use them. */
interface ConstantHolder {
  holdConstant(tensors: readonly tf.Tensor[]): () => void;
}

/** Tells the active backend, where it can do something with it, that tensors stay as they are until the result is called. */
export function holdConstant(tensors: readonly tf.Tensor[]): () => void {
  const backend: object = tf.backend();
  return isConstantHolder(backend) ? backend.holdConstant(tensors) : () => undefined;
}

const isConstantHolder = (backend: object): backend is ConstantHolder => 'holdConstant' in backend;
