import type { TensorInfo } from '@tensorflow/tfjs-core';
import { broadcastShape } from '../graph/broadcast-shape.ts';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, graphValue, sizeOf } from '../graph/graph-value.ts';
import { operator } from '../graph/operator.ts';
import { type Kernel, type KernelCall, kernel } from './kernel.ts';
import { unaryKernels } from './unary.ts';
import { unaryKernelsWithSettings } from './unary-with-settings.ts';

interface Product {
  readonly a: GraphValue;
  readonly b: GraphValue;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** The product is multiplied by this inside the matrix multiplication. */
  readonly scale?: number | undefined;
}

/** The product of two (batches of) matrices of any rank from 2 on. */
export function matMul(graph: GraphRecorder, product: Product): GraphValue {
  const { a, b, transposeA, transposeB, scale = 1 } = product;
  const shape = productShape(product);
  const inner = a.shape.at(transposeA ? -2 : -1);
  if (inner === 0) return graph.filled(0, { shape, type: 'float32' });
  const flags = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0, alpha: scale };
  if (a.shape.length === 2 && b.shape.length === 2) {
    return graph.add({ operator: operator('Gemm', flags), inputs: [a, b], shape });
  }
  const isPlain = !transposeA && !transposeB && scale === 1;
  return graph.add({
    operator: isPlain ? operator('MatMul') : operator('FusedMatMul', flags),
    inputs: [a, b],
    shape,
  });
}

function productShape({ a, b, transposeA, transposeB }: Product): number[] {
  const outer = [a, b].map(({ shape, type }) => graphValue({ shape: shape.slice(0, -2), type }));
  const rows = a.shape.at(transposeA ? -1 : -2) ?? 0;
  const columns = b.shape.at(transposeB ? -2 : -1) ?? 0;
  return [...broadcastShape(outer), rows, columns];
}

interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly scale?: number;
}

interface FusedAttributes extends MatMulAttributes {
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
}

type FusedInputs = Readonly<Record<'a' | 'b', TensorInfo>> &
  Partial<Readonly<Record<'bias' | 'preluActivationWeights', TensorInfo>>>;

const ACTIVATIONS: Readonly<Record<string, Kernel>> = {
  relu: unaryKernels.Relu,
  relu6: unaryKernels.Relu6,
  elu: unaryKernels.Elu,
  sigmoid: unaryKernels.Sigmoid,
};

export const matMulKernels = {
  BatchMatMul: kernel<'a' | 'b', MatMulAttributes>(({ inputs, attributes, graph }) => {
    const [a, b] = [graph.value(inputs.a), graph.value(inputs.b)];
    return graph.tensor(matMul(graph, { a, b, ...attributes }));
  }),
  _FusedMatMul: ((call: KernelCall<FusedInputs, FusedAttributes>) =>
    activated(call, biasedProduct(call))) as unknown as Kernel, // its bias is there or not
};

// tfjs makes two matrices into batches of one, which only the general product takes: back to matrices.
function asMatrix(graph: GraphRecorder, tensor: TensorInfo): GraphValue {
  const { shape } = tensor;
  const value = graph.value(tensor);
  return shape.length === 3 && shape[0] === 1 ? graph.view(value, shape.slice(1)) : value;
}

function biasedProduct({ inputs, attributes, graph }: KernelCall<FusedInputs, FusedAttributes>): TensorInfo {
  const { transposeA, transposeB } = attributes;
  const [a, b] = [asMatrix(graph, inputs.a), asMatrix(graph, inputs.b)];
  const rank = Math.max(inputs.a.shape.length, inputs.b.shape.length);
  const bias = inputs.bias === undefined ? undefined : graph.value(inputs.bias);
  const product = { a, b, transposeA, transposeB };
  const shape = productShape(product);
  const result = bias === undefined ? matMul(graph, product) : withBias(graph, { ...product, bias });
  return graph.tensor(result, [...Array(rank - shape.length).fill(1), ...shape]);
}

function withBias(graph: GraphRecorder, product: Product & { readonly bias: GraphValue }): GraphValue {
  const { a, b, bias, transposeA, transposeB } = product;
  const isGemm = a.shape.length === 2 && b.shape.length === 2 && sizeOf(a.shape) > 0 && bias.shape.length < 3;
  if (!isGemm) return graph.apply(operator('Add'), [matMul(graph, product), bias]);
  const flags = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0, alpha: 1 };
  return graph.add({ operator: operator('Gemm', flags), inputs: [a, b, bias], shape: productShape(product) });
}

function activated(
  call: KernelCall<FusedInputs, FusedAttributes>,
  product: TensorInfo,
): TensorInfo | TensorInfo[] {
  const { activation = 'linear', leakyreluAlpha = 0.2 } = call.attributes;
  if (activation === 'linear') return product;
  const { graph, inputs } = call;
  const x = graph.tensor(graph.value(product));
  if (activation === 'leakyrelu') {
    return unaryKernelsWithSettings.LeakyRelu({
      inputs: { x },
      attributes: { alpha: leakyreluAlpha },
      graph,
    });
  }
  if (activation === 'prelu' && inputs.preluActivationWeights !== undefined) {
    return unaryKernelsWithSettings.Prelu({
      inputs: { x, alpha: inputs.preluActivationWeights },
      attributes: {},
      graph,
    });
  }
  const apply = ACTIVATIONS[activation];
  if (apply === undefined) throw new Error(`The onnx backend has no fused activation \`${activation}\`.`);
  return apply({ inputs: { x }, attributes: {}, graph });
}
