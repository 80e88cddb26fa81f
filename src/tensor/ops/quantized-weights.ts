import * as tf from '@tensorflow/tfjs-core';
import { markConstant } from '../memory.ts';
import { customGradient, fused, hasKernel } from './custom-gradient.ts';
import {
  dequantizeWeight,
  type MatrixToQuantize,
  quantizeWeight,
  type WeightBits,
} from './quantize-weight.ts';

/** Matrices that `linear` takes quantized, by their dataId. */
const entries = new WeakMap<object, QuantizedEntry>();

interface QuantizedEntry {
  /** The matrix [O, I] with `transposed`, else [I, O]. */
  readonly weight: (transposed: boolean) => QuantizedWeight;
  /** That of a `quantizedVariable`, in its layout. */
  readonly only?: { readonly weight: QuantizedWeight; readonly transposed: boolean };
}

/** A quantized matrix, as tensors of the active backend. */
interface QuantizedWeight {
  /** The product with rows [N, I]: [N, O]. */
  readonly product: (x: tf.Tensor) => tf.Tensor;
  /** The rounded matrix in float32: [O, I]. */
  readonly rounded: () => tf.Tensor;
  readonly dispose: () => void;
}

/** Lets `linear` round matrices to 8 bits until disposed of; products also round the rows, on a backend that can. */
export function quantizeOnUse(matrices: readonly tf.Tensor[]): Disposable {
  const added = matrices.map((matrix) => {
    const [rows = 0, columns = 0] = matrix.shape;
    const data = matrix.dataSync<'float32'>();
    const known = new Map<boolean, QuantizedWeight>();
    const weight = (transposed: boolean) => {
      const [inputs, outputs] = transposed ? [columns, rows] : [rows, columns];
      const quantized =
        known.get(transposed) ??
        quantizedWeight({ data, inputs, outputs, transposed }, { bits: 8, exact: false });
      known.set(transposed, quantized);
      return quantized;
    };
    entries.set(matrix.dataId, { weight });
    return { key: matrix.dataId, known };
  });
  return {
    [Symbol.dispose]: () => {
      for (const { key, known } of added) {
        entries.delete(key);
        for (const weight of known.values()) weight.dispose();
      }
    },
  };
}

/**
 * A frozen matrix that is kept quantized only: `linear` multiplies with the rounded weights in float32, and its gradient is
 * that of the rounded weights. The result has the matrix's shape and no values of its own; reading it throws.
 */
export function quantizedVariable(
  data: Float32Array,
  {
    shape,
    transposed,
    bits,
  }: {
    readonly shape: readonly [number, number];
    /** The matrix is [O, I], not [I, O]. */
    readonly transposed: boolean;
    readonly bits: WeightBits;
  },
): tf.Variable {
  const [rows, columns] = shape;
  const [inputs, outputs] = transposed ? [columns, rows] : [rows, columns];
  const quantized = quantizedWeight({ data, inputs, outputs, transposed }, { bits, exact: true });
  const values = tf.tensor(data, [rows, columns]);
  const variable = tf.variable(values, false);
  const weight = (asked: boolean) => {
    if (asked !== transposed) throw new Error('a quantized matrix is multiplied in one direction only');
    return quantized;
  };
  entries.set(variable.dataId, { weight, only: { weight: quantized, transposed } });
  // Only the quantized weights stay in memory.
  tf.dispose([values, variable]);
  return variable;
}

/** Frees the weights of a `quantizedVariable`; any other variable is disposed of. */
export function disposeWeight(variable: tf.Variable): void {
  const only = entries.get(variable.dataId)?.only;
  if (only === undefined) {
    variable.dispose();
    return;
  }
  only.weight.dispose();
  entries.delete(variable.dataId);
}

/** A matrix in float32, in its own layout: that of a `quantizedVariable` as rounded, any other itself. */
export function floatWeight(matrix: tf.Tensor): tf.Tensor {
  const only = entries.get(matrix.dataId)?.only;
  if (only === undefined) return tf.clone(matrix);
  const rounded = only.weight.rounded(); // [O, I]
  return only.transposed ? rounded : tf.transpose(rounded);
}

/** Whether `linear` takes a matrix quantized. */
export const isRounded = (weight: tf.Tensor): boolean => entries.has(weight.dataId);

/** The product of rows [N, I] and a matrix that is taken quantized; undefined for any other matrix. */
export function quantizedProduct(
  x: tf.Tensor,
  { weight, transposed }: { readonly weight: tf.Tensor; readonly transposed: boolean },
): tf.Tensor | undefined {
  const quantized = entries.get(weight.dataId)?.weight(transposed);
  if (quantized === undefined) return undefined;
  return customGradient([x], () => ({
    value: quantized.product(x),
    gradient: (dy) => [tf.matMul(dy as tf.Tensor2D, quantized.rounded() as tf.Tensor2D)],
  }));
}

function quantizedWeight(
  matrix: MatrixToQuantize,
  { bits, exact }: { readonly bits: WeightBits; readonly exact: boolean },
): QuantizedWeight {
  const quantized = quantizeWeight(matrix, bits);
  const { inputs, outputs } = matrix;
  if (!hasKernel('QuantizedMatMul')) {
    const data = dequantizeWeight(quantized, { inputs, outputs, transposed: true, bits });
    const rounded = tf.keep(tf.tensor2d(data, [outputs, inputs]));
    return {
      product: (x) => tf.matMul(x as tf.Tensor2D, rounded, false, true),
      rounded: () => tf.clone(rounded),
      dispose: () => rounded.dispose(),
    };
  }
  const blocks = quantized.scales.length / outputs;
  // tfjs has no uint8 tensors: four bytes make one int32.
  const packed = new Int32Array(quantized.bytes.buffer);
  const bytes = tf.keep(tf.tensor(packed, [outputs, blocks, packed.length / (outputs * blocks)], 'int32'));
  const scales = tf.keep(tf.tensor2d(quantized.scales, [outputs, blocks]));
  const zeros =
    quantized.zeros === undefined ? undefined : tf.keep(tf.tensor2d(quantized.zeros, [outputs, blocks]));
  const stored = { bytes, scales, ...(zeros && { zeros }) };
  const release = exact ? () => {} : markConstant(Object.values(stored));
  const attributes = { inputs, outputs, bits, exact };
  const run = (kernel: string, inputs: Readonly<Record<string, tf.Tensor>>) => {
    const [result] = fused(kernel, { inputs, attributes }) ?? [];
    if (result === undefined) throw new Error(`the backend has no ${kernel}`);
    return result;
  };
  return {
    product: (x) => run('QuantizedMatMul', { x, ...stored }),
    rounded: () => run('DequantizedMatrix', stored),
    dispose: () => {
      release();
      tf.dispose(Object.values(stored));
    },
  };
}
