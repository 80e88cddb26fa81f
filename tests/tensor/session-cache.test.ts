import { expect, test } from 'vitest';
import { type GraphPlan, peakBytes, planGraph } from '../../src/tensor/onnx/graph/graph-plan.ts';
import { GraphRecorder } from '../../src/tensor/onnx/graph/graph-recorder.ts';
import { type GraphValue, operator } from '../../src/tensor/onnx/graph/graph-value.ts';
import { openOnnxRuntime } from '../../src/tensor/onnx/session/open-runner.ts';
import { SessionCache } from '../../src/tensor/onnx/session/session-cache.ts';

const nowhere = () => {
  throw new Error('These graphs have no tfjs tensors.');
};

/** -(|x|) of `size` floats, `steps` times over. */
function chain(size: number, steps = 1): GraphPlan {
  const graph = new GraphRecorder({
    graphValueOf: nowhere,
    register: nowhere,
    addReference: nowhere,
    replace: nowhere,
  });
  let value: GraphValue = graph.fromHost(new Float32Array(size), { shape: [size], type: 'float32' });
  for (let i = 0; i < steps; i++) {
    value = graph.apply(operator('Neg'), [graph.apply(operator('Abs'), [value])]);
  }
  value.references = 1;
  return planGraph(graph.pending) as GraphPlan; // it has an output
}

const runner = openOnnxRuntime({ threads: 1 });

test('graphs of equal structure share a session; those of other shapes do not', () => {
  const sessions = new SessionCache(runner, { sessions: 8, bytes: 1e6 });
  for (const size of [3, 3, 5, 3]) sessions.find(chain(size));
  expect(sessions.statistics).toEqual({ held: 2, compiled: 2 });
  sessions.dispose();
});

test('the least recently used session is evicted first', () => {
  const sessions = new SessionCache(runner, { sessions: 2, bytes: 1e6 });
  for (const size of [1, 2, 1, 3]) sessions.find(chain(size)); // 2 goes
  sessions.find(chain(1));
  expect(sessions.statistics).toEqual({ held: 2, compiled: 3 });
  sessions.find(chain(2));
  expect(sessions.statistics).toEqual({ held: 2, compiled: 4 });
  sessions.dispose();
});

test('sessions are evicted for their memory too, but never the one in use', () => {
  const sessions = new SessionCache(runner, { sessions: 8, bytes: 1_000 });
  for (const size of [100, 200, 300]) sessions.find(chain(size));
  expect(sessions.statistics).toEqual({ held: 1, compiled: 3 });
  sessions.dispose();
});

test('the memory of a chain of any length is that of two of its values', () => {
  expect([chain(10), chain(10, 5)].map(peakBytes)).toEqual([80, 80]);
});
