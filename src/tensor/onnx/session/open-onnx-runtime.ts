import { availableParallelism } from 'node:os';
import { env, Tensor } from 'onnxruntime-node';
// Not public, and the reason why the version is pinned: the one synchronous way to run a session. The public
// `InferenceSession.run` does the same call later, on the same thread, and reading a tensor at once needs it now.
import { binding, initOrt } from 'onnxruntime-node/dist/binding.js';
import type { HostArray } from '../graph/element-type.ts';
import type { CompiledGraph, CompileRequest, GraphRunner, HostTensor } from './graph-runner.ts';

type Session = InstanceType<typeof binding.InferenceSession>;
type Feeds = Parameters<Session['run']>[0];

export interface BindingOptions {
  readonly threads?: number | undefined;
  /** Why it is this one. */
  readonly note?: string;
}

/** Runs graphs with the CPU provider of onnxruntime-node. */
export function openOnnxRuntime({ threads = availableParallelism(), note }: BindingOptions): GraphRunner {
  initOrt();
  return {
    ...(note === undefined ? {} : { note }),
    engine: `onnxruntime ${env.versions.node ?? 'unknown'}`,
    threads,
    isNative: false,
    compile: (request) => compile(request, threads),
  };
}

// Every session has threads of its own, which wait for work in a loop that keeps their processors unless told not to.
// By bench/training-step.ts on two cores that makes a step some 15 % faster where nothing else runs (18 ms for 21), and
// takes twice as long where something does (50 ms for 30): other sessions, stages beside it, other programs.
const NO_SPINNING = { session: { intra_op: { allow_spinning: '0' } } };

const RUN_OPTIONS = { logSeverityLevel: 4 } as const; // what goes wrong is thrown

function compile({ model, inputs, outputs }: CompileRequest, threads: number): CompiledGraph {
  const session = new binding.InferenceSession();
  // Node never hands out shared memory for an encoded message.
  session.loadModel(model.buffer as ArrayBuffer, model.byteOffset, model.byteLength, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    extra: NO_SPINNING,
    logSeverityLevel: 4,
  });
  const fetches = Object.fromEntries(outputs.map(({ name }) => [name, null]));
  const run = (values: readonly HostTensor[]) => {
    const results = session.run(feedsOf(inputs, values), fetches, RUN_OPTIONS);
    return outputs.map(({ name }) => results[name]?.data as HostArray); // models ask for types with such arrays only
  };
  return {
    run,
    runAsync: async (values) => run(values),
    dispose: () => session.dispose(),
  };
}

function feedsOf(names: readonly string[], values: readonly HostTensor[]): Feeds {
  const feeds: Feeds = {};
  names.forEach((name, i) => {
    const value = values[i];
    if (value !== undefined) feeds[name] = tensorOf(value);
  });
  return feeds;
}

// One name for float64: ONNX Runtime's JavaScript calls it so, its models call it double.
function tensorOf({ type, data, shape }: HostTensor): Tensor {
  return new Tensor(type === 'double' ? 'float64' : type, data as Float32Array, shape);
}
