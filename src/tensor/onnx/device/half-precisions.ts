import type { HalfPrecision } from '../../ops/product-precision.ts';
import type { EngineTraits } from '../graph/engine-traits.ts';
import { planGraph } from '../graph/graph-plan.ts';
import { GraphRecorder } from '../graph/graph-recorder.ts';
import { HALF_TYPES, type HalfType, hostArrayOf } from '../graph/graph-value.ts';
import { noTensors } from '../graph/value-storage.ts';
import { halfProduct } from '../kernels/product.ts';
import { type CompiledGraph, type CompileRequest, compileRequest } from '../session/graph-runner.ts';

interface Engine extends EngineTraits {
  /** Must refuse a graph that the device cannot compute whole. */
  readonly compile: (request: CompileRequest) => CompiledGraph;
}

/** The candidates in which a device multiplies matrices. It is tried: each driver reports in its own way what it lacks. */
export const halfPrecisionsOf = (
  candidates: readonly HalfPrecision[],
  engine: Engine,
): readonly HalfPrecision[] =>
  candidates.filter((precision) => {
    try {
      return multiplies(HALF_TYPES[precision], engine);
    } catch {
      return false; // the engine has no kernel for the type, or the device no instructions
    }
  });

const SIDE = 8;
/** Small integers, whose sums of products are exact in 16 bits. */
const MATRIX = Float32Array.from({ length: SIDE * SIDE }, (_, i) => ((i * 7) % 5) - 2);

/** Whether a matrix times its transpose, alone and as a batch of one, is right. */
function multiplies(type: HalfType, engine: Engine): boolean {
  const graph = new GraphRecorder(noTensors, engine);
  const matrix = graph.fromHost(MATRIX, { shape: [SIDE, SIDE], type: 'float32' });
  for (const factor of [matrix, graph.view(matrix, [1, SIDE, SIDE])]) {
    const product = { a: factor, b: factor, transposeA: false, transposeB: true };
    halfProduct(graph, { ...product, type }).references = 1;
  }
  const plan = planGraph(graph.pending);
  if (plan === null) throw new Error('a graph with an output has no plan');
  const compiled = engine.compile(compileRequest(plan));
  try {
    const inputs = plan.inputs.map(({ shape, type }) => ({ shape, type, data: MATRIX }));
    const results = compiled.run(inputs, { onHost: new Set(plan.outputs.keys()) });
    return results.every((result) => hostArrayOf(result).join() === timesItsTranspose().join());
  } finally {
    compiled.dispose();
  }
}

function timesItsTranspose(): number[] {
  const row = (index: number) => MATRIX.subarray(index * SIDE, (index + 1) * SIDE);
  return Array.from(MATRIX, (_, i) => {
    const [a, b] = [row(Math.floor(i / SIDE)), row(i % SIDE)];
    return a.reduce((sum, x, k) => sum + x * (b[k] ?? 0), 0);
  });
}
