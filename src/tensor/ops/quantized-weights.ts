import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import {
  type MatrixToQuantize,
  type QuantizedMatrix,
  quantizeWeight,
  type WeightBits,
} from './quantize-weight.ts';
import { type Products, type QuantizedTensors, quantizedTensors } from './quantized-tensors.ts';

/** Matrices that are taken quantized, by their dataId. */
const entries = new WeakMap<object, QuantizedEntry>();

interface QuantizedEntry {
  /** The matrix [O, I] with `transposed`, else [I, O]. */
  readonly weight: (transposed: boolean) => QuantizedTensors;
  /** That of a quantized variable, in its layout. */
  readonly only?: { readonly weight: QuantizedTensors; readonly transposed: boolean };
}

/** Lets `linear` round matrices to so many bits until disposed of; products also round the rows, on a backend that can. */
export function quantizeOnUse(matrices: readonly tf.Tensor[], bits: WeightBits): Disposable {
  const added = matrices.map((matrix) => {
    const [rows = 0, columns = 0] = matrix.shape;
    const data = matrix.dataSync<'float32'>();
    const known = new Map<boolean, QuantizedTensors>();
    const weight = (transposed: boolean) => {
      const [inputs, outputs] = transposed ? [columns, rows] : [rows, columns];
      const quantized =
        known.get(transposed) ??
        quantizedTensors(quantizeWeight({ data, inputs, outputs, transposed }, bits), {
          ...{ inputs, outputs },
          products: 'rounded',
        });
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

interface QuantizedVariable {
  readonly shape: readonly [number, number];
  /** The matrix is [O, I], not [I, O]. */
  readonly transposed: boolean;
  readonly products: Products;
}

/**
 * A frozen matrix that is kept quantized only. `linear` multiplies with it, `embeddingLookup` reads its rows, and gradients
 * are those of the rounded weights. The result has the matrix's shape and no values of its own; reading it throws.
 */
export function quantizedVariable(
  matrix: QuantizedMatrix,
  { shape, transposed, products }: QuantizedVariable,
): tf.Variable {
  const [rows, columns] = shape;
  const [inputs, outputs] = transposed ? [columns, rows] : [rows, columns];
  const weight = quantizedTensors(matrix, { inputs, outputs, products });
  const values = tf.tensor(new Float32Array(rows * columns), [rows, columns]);
  const variable = tf.variable(values, false);
  entries.set(variable.dataId, { weight: () => weight, only: { weight, transposed } });
  // Only the quantized weights stay in memory.
  tf.dispose([values, variable]);
  return variable;
}

/** The same of a matrix in float32, rounded to so many bits. */
export function roundedVariable(
  data: Float32Array,
  { bits, ...variable }: QuantizedVariable & { readonly bits: WeightBits },
): tf.Variable {
  const [rows, columns] = variable.shape;
  const [inputs, outputs] = variable.transposed ? [columns, rows] : [rows, columns];
  const matrix: MatrixToQuantize = { data, inputs, outputs, transposed: variable.transposed };
  return quantizedVariable(quantizeWeight(matrix, bits), variable);
}

/** Frees the weights of a quantized variable; any other variable is disposed of. */
export function disposeWeight(variable: tf.Variable): void {
  const only = entries.get(variable.dataId)?.only;
  if (only === undefined) {
    variable.dispose();
    return;
  }
  only.weight.dispose();
  entries.delete(variable.dataId);
}

/** A matrix in float32, in its own layout: that of a quantized variable as rounded, any other itself. */
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
  const entry = entries.get(weight.dataId);
  if (entry === undefined) return undefined;
  const quantized = entry.weight(transposed);
  // Blocks lie along the inputs; a table that is multiplied along its rows, as an embedding with DoRA is, is widened.
  const isAcross = entry.only !== undefined && entry.only.transposed !== transposed;
  return customGradient([x], () => ({
    value: isAcross ? multiply(x, quantized.rounded()) : quantized.product(x),
    gradient: (dy) => [isAcross ? multiply(dy, quantized.rounded(), true) : quantized.gradient(dy)],
  }));
}

const multiply = (x: tf.Tensor, matrix: tf.Tensor, isTransposed = false): tf.Tensor =>
  tf.matMul(x as tf.Tensor2D, matrix as tf.Tensor2D, false, isTransposed);

/** The rows of a quantized table at `ids`, int32 [N]: [N, C]; undefined for any other table. */
export function quantizedRows(table: tf.Tensor, ids: tf.Tensor): tf.Tensor | undefined {
  const only = entries.get(table.dataId)?.only;
  if (only === undefined) return undefined;
  if (!only.transposed) throw new Error('the rows of a quantized table must be its outputs');
  const rows = only.weight.rows(tf.reshape(ids, [ids.size]));
  return tf.reshape(rows, [...ids.shape, rows.shape.at(-1) ?? 0]);
}
