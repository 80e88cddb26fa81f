import { expect, test } from 'vitest';
import type { EngineTraits } from '../../src/tensor/onnx/graph/engine-traits.ts';
import { type GraphPlan, planGraph } from '../../src/tensor/onnx/graph/graph-plan.ts';
import { GraphRecorder } from '../../src/tensor/onnx/graph/graph-recorder.ts';
import { type GraphValue, type HalfType, hostArrayOf } from '../../src/tensor/onnx/graph/graph-value.ts';
import { noTensors } from '../../src/tensor/onnx/graph/value-storage.ts';
import { halfProduct, matMul } from '../../src/tensor/onnx/kernels/product.ts';
import { compileRequest } from '../../src/tensor/onnx/session/graph-runner.ts';
import { openRunner } from '../../src/tensor/onnx/session/open-runner.ts';
import { numbers, relativeError } from './numbers.ts';

interface Factors {
  readonly shapes: readonly [a: readonly number[], b: readonly number[]];
  readonly transposed?: readonly [a: boolean, b: boolean];
  readonly scale?: number;
}

type Product = Parameters<typeof matMul>[1];

/** The graph of products of two factors. */
function graphOf(
  { shapes, transposed: [transposeA, transposeB] = [false, false], scale }: Factors,
  record: (product: Product, graph: GraphRecorder) => readonly GraphValue[],
  traits: EngineTraits = {},
): GraphPlan {
  const graph = new GraphRecorder(noTensors, traits);
  const [a, b] = shapes.map((shape, seed) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return graph.fromHost(numbers(size, { seed }), { shape, type: 'float32' });
  }) as [GraphValue, GraphValue]; // one for each
  for (const value of record({ a, b, transposeA, transposeB, scale }, graph)) value.references = 1;
  return planGraph(graph.pending) as GraphPlan; // it has an output
}

const inHalf = (type: HalfType) => (product: Product, graph: GraphRecorder) => [
  halfProduct(graph, { ...product, type }),
];

const matrices: Factors = {
  shapes: [
    [2, 21],
    [21, 3],
  ],
};

const typesOf = ({ nodes }: GraphPlan) => nodes.map(({ operator }) => operator.type);

test('the factors of several products are rounded once in a graph', () => {
  const plan = graphOf(matrices, (product, graph) => [1, 2].flatMap(() => inHalf('float16')(product, graph)));
  expect(typesOf(plan)).toEqual(['Cast', 'Cast', 'Gemm', 'Cast', 'Gemm', 'Cast']);
  expect(plan.outputs.map(({ type }) => type)).toEqual(['float32', 'float32']);
});

test('products in different precisions are different graphs', () => {
  const keys = (['float16', 'bfloat16'] as const).map((type) => graphOf(matrices, inHalf(type)).key);
  expect(new Set(keys).size).toBe(2);
});

test('an engine that adds up in half precision gets sums of bounded length, added up in float32', () => {
  const plan = graphOf(matrices, inHalf('float16'), { longestHalfSum: 8 });
  const part = ['Slice', 'Slice', 'Gemm', 'Cast'];
  expect(typesOf(plan)).toEqual(['Cast', 'Cast', ...part, ...part, 'Add', ...part, 'Add']);
  const lengths = plan.nodes.flatMap(({ operator, inputs }) =>
    operator.type === 'Gemm' ? [inputs[0]?.shape[1]] : [],
  );
  expect(lengths).toEqual([8, 8, 5]);
});

// The engine has no such kernels for processors and computes in float32, so only how the graph is wired is checked here.
const wired: readonly (Factors & { readonly name: string; readonly traits?: EngineTraits })[] = [
  { name: 'matrices', ...matrices, traits: { longestHalfSum: 8 } },
  {
    name: 'transposed matrices',
    shapes: [
      [21, 4],
      [3, 21],
    ],
    transposed: [true, true],
    traits: { longestHalfSum: 8 },
  },
  {
    name: 'scaled batches that broadcast',
    shapes: [
      [2, 1, 4, 9],
      [1, 2, 5, 9],
    ],
    transposed: [false, true],
    scale: 0.25,
  },
  {
    name: 'batches without a fused transposition',
    shapes: [
      [2, 9, 4],
      [2, 9, 3],
    ],
    transposed: [true, false],
    traits: { longestHalfSum: 4, lacks: new Set(['FusedMatMul']) },
  },
];

test.each(wired)('the graph of $name in half precision has their product', async ({ traits, ...factors }) => {
  const plan = graphOf(
    factors,
    (product, graph) => [matMul(graph, product), ...inHalf('float16')(product, graph)],
    traits,
  );
  const compiled = (await openRunner({ threads: 1 })).compile(compileRequest(plan));
  const inputs = plan.inputs.map(({ shape, type, data }) => ({ shape, type, data: hostArrayOf(data) }));
  const [wanted, found] = compiled.run(inputs).map((result) => hostArrayOf(result) as Float32Array);
  compiled.dispose();
  expect(relativeError(found ?? [], wanted ?? [])).toBeLessThan(1e-3);
});
