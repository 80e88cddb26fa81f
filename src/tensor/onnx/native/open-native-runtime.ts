import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { planGraph } from '../graph/graph-plan.ts';
import { GraphRecorder } from '../graph/graph-recorder.ts';
import { hostArrayOf, operator } from '../graph/graph-value.ts';
import { noTensors } from '../graph/value-storage.ts';
import {
  type CompiledGraph,
  type CompileRequest,
  compileRequest,
  type GraphRunner,
} from '../session/graph-runner.ts';
import { ArrayPool, NativeSession } from './native-session.ts';
import { OrtLibrary, type Pointer } from './ort-library.ts';
import { SharedWeights } from './shared-weights.ts';

export interface NativeOptions {
  readonly threads?: number | undefined;
  /** The library; by default that of onnxruntime-node. */
  readonly library?: LibraryFile | undefined;
}

/**
 * Runs graphs with the library of onnxruntime-node through its C API: on another thread for asynchronous reads, without
 * copying results, with memory and packed weights shared by all sessions. Throws if the library does not load.
 */
export async function openNativeRuntime(options: NativeOptions): Promise<GraphRunner> {
  const environment = await openEnvironment(options.library);
  const threads = options.threads ?? availableParallelism();
  return {
    engine: `onnxruntime ${environment.version}, C API`,
    threads,
    isNative: true,
    compile: (request) => compile(request, { environment, threads }),
    recycle: (arrays) => environment.arrays.recycle(arrays),
  };
}

/** The part of ONNX Runtime that all sessions of a process share; opened once. */
export function openEnvironment(file: LibraryFile = locateLibrary()): Promise<NativeEnvironment> {
  const name = `${file.version} ${file.path}`;
  const opening = opened.get(name) ?? createEnvironment(file);
  opened.set(name, opening);
  return opening;
}

export interface NativeEnvironment {
  readonly library: OrtLibrary;
  readonly version: string;
  /** The package's folder. */
  readonly folder: string;
  readonly environment: Pointer;
  readonly memoryInfo: Pointer;
  readonly weights: SharedWeights;
  readonly arrays: ArrayPool;
}

const opened = new Map<string, Promise<NativeEnvironment>>();

// Fatal errors only: all others are thrown.
const LOG_LEVEL = 4;
const ALL_OPTIMIZATIONS = 99;
const [ARENA, DEFAULT_MEMORY] = [1, 0];

async function createEnvironment({ path, version, folder }: LibraryFile): Promise<NativeEnvironment> {
  const library = await OrtLibrary.open({ path, version });
  const environment = library.create('CreateEnv', LOG_LEVEL, 'tensor');
  const memoryInfo = library.create('CreateCpuMemoryInfo', ARENA, DEFAULT_MEMORY);
  library.call('CreateAndRegisterAllocator', environment, memoryInfo, null);
  const opened = {
    library,
    version,
    folder,
    environment,
    memoryInfo,
    weights: new SharedWeights({ library, memoryInfo }),
    arrays: new ArrayPool(),
  };
  checkRunner((request) => compile(request, { environment: opened, threads: 1 }));
  return opened;
}

function compile(
  { model, inputs, outputs, weights }: CompileRequest,
  { environment, threads }: { readonly environment: NativeEnvironment; readonly threads: number },
): NativeSession {
  const { library, memoryInfo } = environment;
  const options = sessionOptions(environment, threads);
  try {
    const shared = weights.map(({ name, tensor }) => ({ name, weight: environment.weights.acquire(tensor) }));
    for (const { name, weight } of shared) library.call('AddInitializer', options, name, weight.pointer);
    const packed = environment.weights.packed;
    const session = library.create(
      'CreateSessionFromArrayWithPrepackedWeightsContainer',
      ...[environment.environment, model, model.byteLength, options, packed],
    );
    const onDisposed = () => {
      for (const { weight } of shared) weight.release();
    };
    const { arrays } = environment;
    return new NativeSession({ library, memoryInfo, session, inputs, outputs, arrays, onDisposed });
  } finally {
    library.release('SessionOptions', options);
  }
}

export function sessionOptions({ library, folder }: NativeEnvironment, threads: number): Pointer {
  const options = library.create('CreateSessionOptions');
  library.call('SetIntraOpNumThreads', options, threads);
  library.call('SetInterOpNumThreads', options, 1);
  library.call('SetSessionGraphOptimizationLevel', options, ALL_OPTIMIZATIONS);
  library.call('SetSessionLogSeverityLevel', options, LOG_LEVEL);
  for (const [name, value] of Object.entries({ ...SETTINGS, [WEIGHTS_FOLDER]: folder }))
    library.call('AddSessionConfigEntry', options, name, value);
  return options;
}

// The folder of the file that a model names in place of its weights (see encode-model.ts).
const WEIGHTS_FOLDER = 'session.model_external_initializers_file_folder_path';

const SETTINGS = {
  'session.use_env_allocators': '1',
  // A memory pattern lays out a run's memory in one block, from the second run on. The shared arena would then hold a block
  // for every shape, while single values reuse whatever is free.
  'session.enable_mem_pattern': '0',
  // See NO_SPINNING in session/open-runner.ts.
  'session.intra_op.allow_spinning': '0',
};

/** Computes -(2, 3) and throws if the result is not (-2, -3), to detect a library that is called wrongly. */
function checkRunner(compile: (request: CompileRequest) => CompiledGraph): void {
  const graph = new GraphRecorder(noTensors);
  const input = graph.fromHost(Float32Array.of(2, 3), { shape: [2], type: 'float32' });
  const negative = graph.apply(operator('Neg'), [input]);
  negative.references = 1;
  const plan = planGraph(graph.pending);
  if (plan === null) throw new Error('a graph with an output has no plan');
  const compiled = compile(compileRequest(plan));
  const [result] = compiled.run([{ shape: [2], type: 'float32', data: Float32Array.of(2, 3) }]);
  compiled.dispose();
  const computed = hostArrayOf(result).join();
  if (computed !== '-2,-3') throw new Error(`it computes -(2, 3) as (${computed})`);
}

export interface LibraryFile {
  readonly path: string;
  readonly version: string;
  /** The folder of the package that it belongs to. */
  readonly folder: string;
}

const PACKAGE = 'onnxruntime-node';
const LIBRARY = /^(lib)?onnxruntime(\.[\d.]+)?\.(so|dylib|dll)(\.\d+)?$/;

/** The library that onnxruntime-node ships for this machine, and the version of that package. */
export function locateLibrary(): LibraryFile {
  const root = packageRoot(createRequire(import.meta.url).resolve(PACKAGE));
  const folder = join(root, 'bin', 'napi-v6', process.platform, process.arch);
  const name = existsSync(folder) ? readdirSync(folder).find((file) => LIBRARY.test(file)) : undefined;
  if (name === undefined)
    throw new Error(`${PACKAGE} has no library for ${process.platform} on ${process.arch}`);
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return { path: join(folder, name), version, folder: root };
}

function packageRoot(path: string): string {
  return existsSync(join(path, 'package.json')) ? path : packageRoot(dirname(path));
}
