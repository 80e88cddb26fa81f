import type { LibraryHandle } from 'koffi';
import { type ElementType, ONNX_TYPE } from '../graph/graph-value.ts';
import type { HostTensor } from '../session/graph-runner.ts';
import { ORT_API_VERSION, ortApiIndices } from './ort-api-indices.ts';

/** A pointer, as koffi represents it. */
export type Pointer = bigint;

/** An array is passed as the address of its elements, and stays there at least until the call returns. */
type Argument = Pointer | number | string | readonly string[] | ArrayBufferView | null;

/** A C function: called on this thread, or on another one with the result passed to a callback. */
interface NativeFunction {
  (...args: readonly Argument[]): unknown;
  async(...args: readonly [...Argument[], (error: unknown, result: unknown) => void]): void;
}

type Koffi = typeof import('koffi')['default'];

/** The functions of a loaded ONNX Runtime, by name. Errors that they report are thrown. */
export class OrtLibrary {
  readonly #functions: Readonly<Record<OrtFunction, NativeFunction>>;
  readonly #koffi: Koffi;

  private constructor(koffi: Koffi, functions: Readonly<Record<OrtFunction, NativeFunction>>) {
    this.#koffi = koffi;
    this.#functions = functions;
  }

  /** Loads the library at `path`; throws if its version is not `version`, whose function table is known. */
  static async open({ path, version }: { path: string; version: string }): Promise<OrtLibrary> {
    const { default: koffi } = await import('koffi');
    return new OrtLibrary(koffi, functionsOf(koffi, tableOf(koffi, { library: koffi.load(path), version })));
  }

  /** Calls a function that returns a status. */
  call(name: OrtFunction, ...args: readonly Argument[]): void {
    this.#check(this.#functions[name](...args));
  }

  /** The same on another thread; everything the arguments point at must stay alive until it ends. */
  callAsync(name: OrtFunction, ...args: readonly Argument[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#functions[name].async(...args, (error, status) => {
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

  /** Calls a function whose last parameter receives a pointer to what it creates. */
  create(name: OrtFunction, ...args: readonly Argument[]): Pointer {
    const created = new BigUint64Array(1);
    this.call(name, ...args, created);
    return created[0] ?? 0n;
  }

  /** A value of ONNX Runtime over an array of the host, which has to outlive it. */
  createTensor(memoryInfo: Pointer, { data, ...spec }: HostTensor): Pointer {
    return this.createTensorAt(memoryInfo, {
      ...spec,
      address: this.address(data),
      byteLength: data.byteLength,
    });
  }

  /** A value of ONNX Runtime over memory of the given kind. */
  createTensorAt(memoryInfo: Pointer, { shape, type, address, byteLength }: TensorMemory): Pointer {
    const dimensions = pointerArray(shape.map(BigInt));
    const args = [address, byteLength, dimensions, shape.length, ONNX_TYPE[type]];
    return this.create('CreateTensorWithDataAsOrtValue', memoryInfo, ...args);
  }

  /** Where a value keeps its elements; for a device, a handle that only the engine reads. */
  tensorData(value: Pointer): Pointer {
    return this.create('GetTensorMutableData', value);
  }

  /** The outputs that a run left in a binding, in the order in which they were bound; the caller releases them. */
  boundOutputs(binding: Pointer, count: number): readonly Pointer[] {
    const allocator = this.create('GetAllocatorWithDefaultOptions');
    const [list, length] = [new BigUint64Array(1), new BigUint64Array(1)];
    this.call('GetBoundOutputValues', binding, allocator, list, length);
    const values: Pointer[] = this.#koffi.decode(list[0] ?? 0n, this.#koffi.array('void *', count));
    this.call('AllocatorFree', allocator, list[0] ?? 0n);
    return values;
  }

  release(kind: ReleasedKind, pointer: Pointer): void {
    this.#functions[`Release${kind}`](pointer);
  }

  /** The address of an array's elements: a plain number, which does not keep the array from being collected. */
  address(array: ArrayBufferView): Pointer {
    // Small arrays live in memory that the garbage collector moves, until their `buffer` is accessed.
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

interface TensorMemory {
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly address: Pointer;
  readonly byteLength: number;
}

type ReleasedKind = OrtFunction extends infer Name
  ? Name extends `Release${infer Kind}`
    ? Kind
    : never
  : never;

/** 64-bit numbers in native memory, at least one: an empty array has no address. */
export function pointerArray(values: readonly bigint[]): BigUint64Array {
  const array = new BigUint64Array(values.length + 1);
  array.set(values);
  return array;
}

/** Pointers to the functions of the table, in its order. */
function tableOf(
  koffi: Koffi,
  { library, version }: { readonly library: LibraryHandle; readonly version: string },
): readonly Pointer[] {
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

/** The types of a C function's result and of its parameters, as koffi names them. */
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
  GetTensorMutableData: [STATUS, 'void *', 'void *'],
  CreateMemoryInfo: [STATUS, 'const char *', 'int', 'int', 'int', 'void *'],
  CreateCpuMemoryInfo: [STATUS, 'int', 'int', 'void *'],
  AllocatorFree: [STATUS, 'void *', 'void *'],
  GetAllocatorWithDefaultOptions: [STATUS, 'void *'],
  ReleaseStatus: ['void', 'void *'],
  ReleaseSession: ['void', 'void *'],
  ReleaseValue: ['void', 'void *'],
  ReleaseSessionOptions: ['void', 'void *'],
  AddSessionConfigEntry: [STATUS, 'void *', 'const char *', 'const char *'],
  RunWithBinding: [STATUS, 'void *', 'void *', 'void *'],
  CreateIoBinding: [STATUS, 'void *', 'void *'],
  ReleaseIoBinding: ['void', 'void *'],
  BindInput: [STATUS, 'void *', 'const char *', 'void *'],
  BindOutput: [STATUS, 'void *', 'const char *', 'void *'],
  BindOutputToDevice: [STATUS, 'void *', 'const char *', 'void *'],
  GetBoundOutputValues: [STATUS, 'void *', 'void *', 'void *', 'void *'],
  CreateAndRegisterAllocator: [STATUS, 'void *', 'void *', 'void *'],
  AddInitializer: [STATUS, 'void *', 'const char *', 'void *'],
  CreateArenaCfgV2: [STATUS, 'void *', 'void *', 'size_t', 'void *'],
  SessionOptionsAppendExecutionProvider: [
    STATUS,
    ...['void *', 'const char *', 'void *', 'void *', 'size_t'],
  ],
  CreateCUDAProviderOptions: [STATUS, 'void *'],
  UpdateCUDAProviderOptions: [STATUS, 'void *', 'const char **', 'const char **', 'size_t'],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [STATUS, 'void *', 'void *'],
  ReleaseCUDAProviderOptions: ['void', 'void *'],
  CreatePrepackedWeightsContainer: [STATUS, 'void *'],
  ReleasePrepackedWeightsContainer: ['void', 'void *'],
  CreateSessionFromArrayWithPrepackedWeightsContainer: [
    STATUS,
    ...['void *', 'void *', 'size_t', 'void *', 'void *', 'void *'],
  ],
} as const satisfies Readonly<Record<string, Signature>>;

type OrtFunction = keyof typeof ortSignatures;
