import { planGraph } from '../graph/graph-plan.ts';
import { GraphRecorder } from '../graph/graph-recorder.ts';
import { operator } from '../graph/operator.ts';
import { compileRequest } from '../session/compile-request.ts';
import type { CompiledGraph, CompileRequest } from '../session/graph-runner.ts';

/** Computes -(2, 3) and throws where that is not (-2, -3): a library that is called wrongly shows it here first. */
export function checkRunner(compile: (request: CompileRequest) => CompiledGraph): void {
  const graph = new GraphRecorder(noTensors);
  const held = graph.held(Float32Array.of(2, 3), { shape: [2], type: 'float32' });
  const negative = graph.apply(operator('Neg'), [held]);
  negative.references = 1;
  const plan = planGraph(graph.pending);
  if (plan === null) throw new Error('a graph with an output has no plan');
  const compiled = compile(compileRequest(plan));
  const [result] = compiled.run([{ shape: [2], type: 'float32', data: Float32Array.of(2, 3) }]);
  compiled.dispose();
  if (result?.join() !== '-2,-3') throw new Error(`it computes -(2, 3) as (${result?.join(', ')})`);
}

const refuse = () => {
  throw new Error('This graph holds no tensors of tfjs.');
};

const noTensors = { graphValueOf: refuse, register: refuse, addReference: refuse };
