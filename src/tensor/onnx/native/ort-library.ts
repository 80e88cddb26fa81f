import type { LibraryHandle } from 'koffi';
import { ORT_API_VERSION, ortApiIndices } from './ort-api-indices.ts';

/** A pointer, as koffi has it. */
export type Pointer = bigint;

/** An array stands for where its elements lie, and stays there at least until the call has returned. */
type Argument = Pointer | number | string | ArrayBufferView | null;

/** A C function: called at once on this thread, or on another one with the result handed to a callback. */
interface NativeFunction {
  (...words: readonly Argument[]): unknown;
  async(...words: readonly [...Argument[], (error: unknown, result: unknown) => void]): void;
}

type Koffi = typeof import('koffi')['default'];

/** The functions of a loaded ONNX Runtime, by name. What they report as wrong is thrown. */
export class OrtLibrary {
  readonly #functions: Readonly<Record<OrtFunction, NativeFunction>>;
  readonly #koffi: Koffi;

  private constructor(koffi: Koffi, functions: Readonly<Record<OrtFunction, NativeFunction>>) {
    this.#koffi = koffi;
    this.#functions = functions;
  }

  /** Loads the library at `path`; throws where it is of another version than `version`, whose table is known. */
  static async open({ path, version }: { path: string; version: string }): Promise<OrtLibrary> {
    const { default: koffi } = await import('koffi');
    return new OrtLibrary(koffi, functionsOf(koffi, tableOf(koffi, { library: koffi.load(path), version })));
  }

  /** Calls a function that returns a status. */
  call(name: OrtFunction, ...words: readonly Argument[]): void {
    this.#check(this.#functions[name](...words));
  }

  /** The same on another thread; whatever the arguments point at has to stay until it has ended. */
  callAsync(name: OrtFunction, ...words: readonly Argument[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#functions[name].async(...words, (error, status) => {
        try {
          if (error) throw error;
          this.#check(status);
          resolve();
        } catch (cause) {
          reject(cause);
        }
      });
    });
  }

  /** Calls a function whose last parameter is where it leaves what it made. */
  create(name: OrtFunction, ...words: readonly Argument[]): Pointer {
    const place = new BigUint64Array(1);
    this.call(name, ...words, place);
    return place[0] ?? 0n;
  }

  release(kind: ReleasedKind, pointer: Pointer): void {
    this.#functions[`Release${kind}`](pointer);
  }

  /** Where the elements of an array lie: nothing but a number, which does not keep the array from being collected. */
  address(array: ArrayBufferView): Pointer {
    // Small arrays lie where the garbage collector may move them until their buffer is asked for.
    return this.#koffi.address(array.buffer) + BigInt(array.byteOffset);
  }

  #check(status: unknown): void {
    if (status === null || status === 0n) return;
    const pointer = status as Pointer; // all functions called through here return a status
    const message = String(this.#functions.GetErrorMessage(pointer));
    this.release('Status', pointer);
    throw new Error(message);
  }
}

type ReleasedKind = OrtFunction extends infer Name
  ? Name extends `Release${infer Kind}`
    ? Kind
    : never
  : never;

interface LoadedLibrary {
  readonly library: LibraryHandle;
  readonly version: string;
}

/** Pointers to the functions of the table, in its order. */
function tableOf(koffi: Koffi, { library, version }: LoadedLibrary): readonly Pointer[] {
  const base: Pointer = library.func('OrtGetApiBase', 'void *', [])();
  const [getApi, getVersion]: readonly Pointer[] = koffi.decode(base, koffi.array('void *', 2));
  const found: string = koffi.decode(getVersion, koffi.proto('const char *', []))();
  if (found !== version) throw new Error(`the library is version ${found}, not ${version}`);
  const api: Pointer | null = koffi.decode(getApi, koffi.proto('void *', ['uint32_t']))(ORT_API_VERSION);
  if (api === null) throw new Error(`the library does not know version ${ORT_API_VERSION} of its interface`);
  return koffi.decode(api, koffi.array('void *', Math.max(...Object.values(ortApiIndices)) + 1));
}

function functionsOf(koffi: Koffi, table: readonly Pointer[]): Readonly<Record<OrtFunction, NativeFunction>> {
  const entries = Object.entries(ortSignatures).map(([name, [result, ...parameters]]) => {
    const index = ortApiIndices[name as OrtFunction]; // the keys of the signatures
    return [name, koffi.decode(table[index], koffi.proto(result, [...parameters]))];
  });
  return Object.fromEntries(entries); // the same keys
}

/** A C function's result, then its parameters, in koffi's words. */
type Signature = readonly [result: string, ...parameters: readonly string[]];

const STATUS = 'void *';

/** The functions of ONNX Runtime's C API that are called, by their names in onnxruntime_c_api.h. */
const ortSignatures = {
  GetErrorMessage: ['const char *', 'void *'],
  CreateEnv: [STATUS, 'int', 'const char *', 'void *'],
  CreateSessionFromArray: [STATUS, 'void *', 'void *', 'size_t', 'void *', 'void *'],
  Run: [STATUS, 'void *', 'void *', 'void *', 'void *', 'size_t', 'void *', 'size_t', 'void *'],
  CreateSessionOptions: [STATUS, 'void *'],
  EnableProfiling: [STATUS, 'void *', 'const char *'],
  SetSessionLogSeverityLevel: [STATUS, 'void *', 'int'],
  SetSessionGraphOptimizationLevel: [STATUS, 'void *', 'int'],
  SetIntraOpNumThreads: [STATUS, 'void *', 'int'],
  SetInterOpNumThreads: [STATUS, 'void *', 'int'],
  CreateTensorWithDataAsOrtValue: [STATUS, 'void *', 'void *', 'size_t', 'void *', 'size_t', 'int', 'void *'],
  CreateCpuMemoryInfo: [STATUS, 'int', 'int', 'void *'],
  ReleaseStatus: ['void', 'void *'],
  ReleaseSession: ['void', 'void *'],
  ReleaseValue: ['void', 'void *'],
  ReleaseSessionOptions: ['void', 'void *'],
  AddSessionConfigEntry: [STATUS, 'void *', 'const char *', 'const char *'],
  CreateAndRegisterAllocator: [STATUS, 'void *', 'void *', 'void *'],
  AddInitializer: [STATUS, 'void *', 'const char *', 'void *'],
  CreateArenaCfgV2: [STATUS, 'void *', 'void *', 'size_t', 'void *'],
  CreatePrepackedWeightsContainer: [STATUS, 'void *'],
  ReleasePrepackedWeightsContainer: ['void', 'void *'],
  CreateSessionFromArrayWithPrepackedWeightsContainer: [
    STATUS,
    ...['void *', 'void *', 'size_t', 'void *', 'void *', 'void *'],
  ],
} as const satisfies Readonly<Record<string, Signature>>;

type OrtFunction = keyof typeof ortSignatures;
