import * as tf from '@tensorflow/tfjs-core';
import { holdConstant } from '../hold-constant.ts';
import { fused, hasKernel } from './fused.ts';
import { BLOCK, dequantizeWeight, type MatrixToQuantize, quantizeWeight } from './quantize-weight.ts';

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
