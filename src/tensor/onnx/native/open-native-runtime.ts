import { availableParallelism } from 'node:os';
import type { CompileRequest, GraphRunner } from '../session/graph-runner.ts';
import { checkRunner } from './check-runner.ts';
import { type LibraryFile, locateLibrary } from './locate-library.ts';
import { NativeSession } from './native-session.ts';
import { OrtLibrary, type Pointer } from './ort-library.ts';
import { SharedWeights } from './shared-weights.ts';
import { SpareArrays } from './spare-arrays.ts';

/** The part of ONNX Runtime that all sessions of a process share. */
interface Environment {
  readonly library: OrtLibrary;
  readonly version: string;
  /** Of the package. */
  readonly folder: string;
  readonly environment: Pointer;
  readonly memoryInfo: Pointer;
  readonly weights: SharedWeights;
  readonly spare: SpareArrays;
}

const opened = new Map<string, Promise<Environment>>();

export interface NativeOptions {
  readonly threads?: number | undefined;
  /** The library; that of onnxruntime-node where absent. */
  readonly library?: LibraryFile | undefined;
}

/**
 * Runs graphs with the library of onnxruntime-node through its C API: beside this thread where a result is not wanted at
 * once, without copying results, with memory and packed weights shared by all sessions. Throws where it cannot be loaded.
 */
export async function openNativeRuntime(options: NativeOptions): Promise<GraphRunner> {
  const file = options.library ?? locateLibrary();
  const name = `${file.version} ${file.path}`;
  const opening = opened.get(name) ?? openEnvironment(file);
  opened.set(name, opening);
  const environment = await opening;
  const threads = options.threads ?? availableParallelism();
  return {
    engine: `onnxruntime ${environment.version}, C API`,
    threads,
    isNative: true,
    compile: (request) => compile(request, { environment, threads }),
    recycle: (arrays) => environment.spare.give(arrays),
  };
}

// Fatal errors only: what goes wrong is thrown.
const LOG_LEVEL = 4;
const ALL_OPTIMIZATIONS = 99;
const [ARENA, DEFAULT_MEMORY] = [1, 0];

async function openEnvironment({ path, version, folder }: LibraryFile): Promise<Environment> {
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
    spare: new SpareArrays(),
  };
  checkRunner((request) => compile(request, { environment: opened, threads: 1 }));
  return opened;
}

interface Host {
  readonly environment: Environment;
  readonly threads: number;
}

function compile(
  { model, inputs, outputs, weights }: CompileRequest,
  { environment, threads }: Host,
): NativeSession {
  const { library, memoryInfo } = environment;
  const options = sessionOptions(environment, threads);
  try {
    const held = weights.map(({ name, tensor }) => ({ name, value: environment.weights.hold(tensor) }));
    for (const { name, value } of held) library.call('AddInitializer', options, name, value.pointer);
    const packed = environment.weights.packed;
    const session = library.create(
      'CreateSessionFromArrayWithPrepackedWeightsContainer',
      ...[environment.environment, model, model.byteLength, options, packed],
    );
    const onDisposed = () => {
      for (const { value } of held) value.release();
    };
    const { spare } = environment;
    return new NativeSession({ library, memoryInfo, session, inputs, outputs, spare, onDisposed });
  } finally {
    library.release('SessionOptions', options);
  }
}

function sessionOptions({ library, folder }: Environment, threads: number): Pointer {
  const options = library.create('CreateSessionOptions');
  library.call('SetIntraOpNumThreads', options, threads);
  library.call('SetInterOpNumThreads', options, 1);
  library.call('SetSessionGraphOptimizationLevel', options, ALL_OPTIMIZATIONS);
  library.call('SetSessionLogSeverityLevel', options, LOG_LEVEL);
  for (const [name, value] of Object.entries({ ...SETTINGS, [WEIGHTS_FOLDER]: folder }))
    library.call('AddSessionConfigEntry', options, name, value);
  return options;
}

// Where the file has to be that a model names in place of its weights.
const WEIGHTS_FOLDER = 'session.model_external_initializers_file_folder_path';

const SETTINGS = {
  'session.use_env_allocators': '1',
  // It would lay the memory of a run out in one block, from the second run on: the block of every shape would stand in the
  // shared arena beside those of the others, where single values find their places among what is free.
  'session.enable_mem_pattern': '0',
  // See open-onnx-runtime.ts.
  'session.intra_op.allow_spinning': '0',
};
