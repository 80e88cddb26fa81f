import { availableParallelism } from 'node:os';
import { env, Tensor } from 'onnxruntime-node';
import { binding, initOrt } from 'onnxruntime-node/dist/binding.js';
import { type HostArray, hostArrayOf, neverOnHost } from '../graph/graph-value.ts';
import { type NativeOptions, openNativeRuntime } from '../native/open-native-runtime.ts';
import type { CompiledGraph, CompileRequest, GraphRunner, StoredTensor } from './graph-runner.ts';

/** Two ways to call ONNX Runtime: through its C API, or through the binding that onnxruntime-node comes with. */
export type OnnxRunnerName = 'native' | 'binding';

interface RunnerOptions extends NativeOptions {
  /** Exactly this runner; by default the one that TENSOR_ONNX_RUNNER names, else the fastest that loads. */
  readonly runner?: OnnxRunnerName | undefined;
}

/** Opens the requested runner, else the native one, else, if that does not load, the binding. */
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

// Not public, and the reason why the version is pinned: the only synchronous way to run a session. The public
// `InferenceSession.run` makes the same call later on the same thread, too late for `dataSync()`.
type Session = InstanceType<typeof binding.InferenceSession>;
type Feeds = Parameters<Session['run']>[0];

/** Runs graphs with the CPU provider of onnxruntime-node; `note` says why this runner was taken. */
export function openOnnxRuntime({
  threads = availableParallelism(),
  note,
}: {
  readonly threads?: number | undefined;
  readonly note?: string;
}): GraphRunner {
  initOrt();
  return {
    ...(note === undefined ? {} : { note }),
    engine: `onnxruntime ${env.versions.node ?? 'unknown'}`,
    threads,
    isNative: false,
    // It takes no elements of 4 bits.
    lacks: new Set(['DequantizeLinear']),
    compile: (request) => compile(request, threads),
  };
}

// Every session has its own threads, which by default spin on their processors while they wait for work. By
// bench/training-step.ts on two cores, a step with spinning is about 15 % faster when nothing else runs (18 ms, not 21), but
// much slower when other sessions, stages or programs do (50 ms, not 30).
const NO_SPINNING = { session: { intra_op: { allow_spinning: '0' } } };

const RUN_OPTIONS = { logSeverityLevel: 4 } as const; // fatal only: errors are thrown

function compile({ model, inputs, outputs }: CompileRequest, threads: number): CompiledGraph {
  const session = new binding.InferenceSession();
  // An encoded message is never in shared memory.
  session.loadModel(model.buffer as ArrayBuffer, model.byteOffset, model.byteLength, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    extra: NO_SPINNING,
    logSeverityLevel: 4,
  });
  const fetches = Object.fromEntries(outputs.map(({ name }) => [name, null]));
  const run = (values: readonly StoredTensor[]) => {
    const results = session.run(feedsOf(inputs, values), fetches, RUN_OPTIONS);
    return outputs.map(({ name }) => results[name]?.data as HostArray); // the types of models all have such arrays
  };
  return {
    run,
    runAsync: async (values) => run(values),
    dispose: () => session.dispose(),
  };
}

function feedsOf(names: readonly string[], values: readonly StoredTensor[]): Feeds {
  const feeds: Feeds = {};
  names.forEach((name, i) => {
    const value = values[i];
    if (value !== undefined) feeds[name] = tensorOf(value);
  });
  return feeds;
}

// ONNX models say double, ONNX Runtime's JavaScript says float64.
function tensorOf({ type, data, shape }: StoredTensor): Tensor {
  if (type === 'float16' || type === 'bfloat16') return neverOnHost(type);
  return new Tensor(type === 'double' ? 'float64' : type, hostArrayOf(data) as Float32Array, shape);
}
