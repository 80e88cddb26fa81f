import { availableParallelism } from 'node:os';
import { env, Tensor } from 'onnxruntime-node';
import { binding, initOrt } from 'onnxruntime-node/dist/binding.js';
import type { HostArray } from '../graph/graph-value.ts';
import { type NativeOptions, openNativeRuntime } from '../native/open-native-runtime.ts';
import type { CompiledGraph, CompileRequest, GraphRunner, HostTensor } from './graph-runner.ts';

/** Two ways to call ONNX Runtime: through its C API, or through the binding that onnxruntime-node comes with. */
export type OnnxRunnerName = 'native' | 'binding';

interface RunnerOptions extends NativeOptions {
  /** That one and no other; the variable TENSOR_ONNX_RUNNER, or the fastest that loads, where absent. */
  readonly runner?: OnnxRunnerName | undefined;
}

/** Opens the runner that is asked for, or the native one, and the binding where that does not load. */
export async function openRunner({
  runner = runnerOfEnvironment(),
  ...options
}: RunnerOptions): Promise<GraphRunner> {
  switch (runner) {
    case 'native':
      return openNativeRuntime(options);
    case 'binding':
      return openOnnxRuntime(options);
    case undefined:
      return openNativeRuntime(options).catch((cause) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        const note = `the faster way to call ONNX Runtime does not load: ${reason.split('\n')[0]}`;
        return openOnnxRuntime({ ...options, note });
      });
    default:
      return runner satisfies never;
  }
}

const VARIABLE = 'TENSOR_ONNX_RUNNER';

function runnerOfEnvironment(): OnnxRunnerName | undefined {
  const name = process.env[VARIABLE];
  if (name === undefined || name === '' || name === 'native' || name === 'binding') return name || undefined;
  throw new Error(`${VARIABLE} is ${name}: it can be native or binding.`);
}

// Not public, and the reason why the version is pinned: the one synchronous way to run a session. The public
// `InferenceSession.run` does the same call later, on the same thread, and reading a tensor at once needs it now.
type Session = InstanceType<typeof binding.InferenceSession>;
type Feeds = Parameters<Session['run']>[0];

interface BindingOptions {
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
