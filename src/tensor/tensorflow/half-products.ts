import type * as tf from '@tensorflow/tfjs-core';
import type { HalfPrecision } from '../ops/product-precision.ts';
import { multipliesBfloat16 } from '../processor.ts';
import { cudaCapability } from './locate-tensorflow.ts';
import type { TensorflowEngine } from './tensorflow-engine.ts';

/**
 * The types in which the device multiplies by instructions of its own. Of processors these are those with AVX512-BF16 or
 * AMX: on others TensorFlow computes in float32 and rounds, which is slower than float32.
 */
export function halfPrecisionsOf({ isUsingGpuDevice }: TensorflowEngine): readonly HalfPrecision[] {
  if (!isUsingGpuDevice) return multipliesBfloat16() ? ['bf16'] : [];
  const capability = cudaCapability() ?? 0;
  if (capability >= 8) return ['bf16', 'fp16']; // Ampere and later
  return capability >= 7 ? ['fp16'] : []; // Volta and Turing
}

/** TensorFlow's numbers of types that tfjs-node does not name. */
const DATA_TYPES = { bf16: 14, fp16: 19 } as const satisfies Record<HalfPrecision, number>;

interface Product {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly precision: HalfPrecision;
}

/**
 * The product of two matrices of float32, or of batches of them, whose factors are rounded to 16 bits. As in PyTorch's
 * autocast its sums are float32, and it is rounded to 16 bits before it becomes float32 again.
 */
export function halfProduct(
  engine: TensorflowEngine,
  { a, b, transposeA, transposeB, precision }: Product,
): tf.Tensor {
  const { binding } = engine;
  const isBatch = a.shape.length > 2 || b.shape.length > 2;
  const [operation, first, second] = isBatch
    ? (['BatchMatMulV2', 'adj_x', 'adj_y'] as const)
    : (['MatMul', 'transpose_a', 'transpose_b'] as const);
  const half = DATA_TYPES[precision];
  const attributes = [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: half },
    { name: first, type: binding.TF_ATTR_BOOL, value: transposeA },
    { name: second, type: binding.TF_ATTR_BOOL, value: transposeB },
  ];
  const factors = engine.getInputTensorIds([a, b]).map((id) => cast(engine, id, [binding.TF_FLOAT, half]).id);
  const [rounded] = binding.executeOp(operation, attributes, factors, 1);
  const product = cast(engine, rounded?.id ?? -1, [half, binding.TF_FLOAT]);
  for (const id of [...factors, rounded?.id ?? -1]) binding.deleteTensor(id);
  return engine.createOutputTensor(product);
}

function cast({ binding }: TensorflowEngine, id: number, [from, to]: readonly [number, number]) {
  const attributes = [
    { name: 'SrcT', type: binding.TF_ATTR_TYPE, value: from },
    { name: 'DstT', type: binding.TF_ATTR_TYPE, value: to },
    { name: 'Truncate', type: binding.TF_ATTR_BOOL, value: false }, // rounds to nearest, ties to even
  ];
  const [result] = binding.executeOp('Cast', attributes, [id], 1);
  if (result === undefined) throw new Error('TensorFlow returned no tensor');
  return result;
}
