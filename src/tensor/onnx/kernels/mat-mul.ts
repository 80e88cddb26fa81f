import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core';
import { productPrecision } from '../../ops/product-precision.ts';
import type { GraphRecorder } from '../graph/graph-recorder.ts';
import { type GraphValue, operator, sizeOf } from '../graph/graph-value.ts';
import { type Kernel, type KernelCall, kernel, listKernel } from './kernel.ts';
import { matMul, type Product, productShape } from './product.ts';
import { direct, type Formula, leakyRelu, relu6 } from './unary.ts';

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

const ACTIVATIONS: Readonly<Record<string, Formula>> = {
  linear: (_, x) => x,
  relu: direct('Relu'),
  relu6,
  elu: direct('Elu'),
  sigmoid: direct('Sigmoid'),
};

export const matMulKernels = {
  BatchMatMul: kernel<'a' | 'b', MatMulAttributes>(({ inputs, attributes, graph }) => {
    const [a, b] = [graph.value(inputs.a), graph.value(inputs.b)];
    return graph.tensor(matMul(graph, { a, b, ...attributes }));
  }),
  // Bias and activation weights are optional inputs, which `kernel` cannot type.
  _FusedMatMul: fusedMatMul as unknown as Kernel,
  Einsum: listKernel<{ equation: string }>(({ inputs, attributes: { equation }, graph }) => {
    const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(equation, inputs.length);
    backend_util.checkEinsumDimSizes(allDims.length, idDims, inputs as never); // reads their shapes
    const sizes = new Map<number, number>();
    idDims.forEach((dims, i) => {
      dims.forEach((dim, axis) => void sizes.set(dim, inputs[i]?.shape[axis] ?? 1));
    });
    const kept = allDims.length - summedDims.length;
    const shape = Array.from({ length: kept }, (_, dim) => sizes.get(dim) ?? 1);
    const values = inputs.map((tensor) => graph.value(tensor));
    return graph.tensor(graph.add({ operator: operator('Einsum', { equation }), inputs: values, shape }));
  }),
};

function fusedMatMul(call: KernelCall<FusedInputs, FusedAttributes>): TensorInfo {
  const { inputs, graph } = call;
  const result = activated(call, biasedProduct(call));
  const rank = Math.max(inputs.a.shape.length, inputs.b.shape.length);
  return graph.tensor(result, [...Array<number>(rank - result.shape.length).fill(1), ...result.shape]);
}

// tfjs turns two matrices into batches of one, which Gemm does not take: this undoes it.
function asMatrix(graph: GraphRecorder, tensor: TensorInfo): GraphValue {
  const { shape } = tensor;
  const value = graph.value(tensor);
  return shape.length === 3 && shape[0] === 1 ? graph.view(value, shape.slice(1)) : value;
}

function biasedProduct({ inputs, attributes, graph }: KernelCall<FusedInputs, FusedAttributes>): GraphValue {
  const { transposeA, transposeB } = attributes;
  const product = { a: asMatrix(graph, inputs.a), b: asMatrix(graph, inputs.b), transposeA, transposeB };
  if (inputs.bias === undefined) return matMul(graph, product);
  return withBias(graph, { ...product, bias: graph.value(inputs.bias) });
}

function withBias(graph: GraphRecorder, product: Product & { readonly bias: GraphValue }): GraphValue {
  const { a, b, bias, transposeA, transposeB } = product;
  // In half precision the bias is added to the result in float32.
  const isGemm =
    productPrecision() === 'float32' &&
    a.shape.length === 2 &&
    b.shape.length === 2 &&
    sizeOf(a.shape) > 0 &&
    bias.shape.length < 3;
  if (!isGemm) return graph.apply(operator('Add'), [matMul(graph, product), bias]);
  const flags = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0, alpha: 1 };
  return graph.add({ operator: operator('Gemm', flags), inputs: [a, b, bias], shape: productShape(product) });
}

function activated(call: KernelCall<FusedInputs, FusedAttributes>, x: GraphValue): GraphValue {
  const { graph, inputs, attributes } = call;
  const { activation = 'linear', leakyreluAlpha = 0.2 } = attributes;
  if (activation === 'leakyrelu') return leakyRelu(graph, { x, alpha: graph.scalar(leakyreluAlpha) });
  if (activation === 'prelu' && inputs.preluActivationWeights !== undefined) {
    return leakyRelu(graph, { x, alpha: graph.value(inputs.preluActivationWeights) });
  }
  const formula = ACTIVATIONS[activation];
  if (formula === undefined) throw new Error(`The onnx backend has no fused activation \`${activation}\`.`);
  return formula(graph, x);
}
