import {
  ELEMENT_BYTES,
  type ElementType,
  type HostArray,
  neverOnHost,
  sizeOf,
} from '../graph/graph-value.ts';
import {
  type BoundRun,
  type CompiledGraph,
  type GraphOutput,
  type HostTensor,
  hostTensor,
  type RunOptions,
  type StoredTensor,
} from '../session/graph-runner.ts';
import { type OrtLibrary, type Pointer, pointerArray } from './ort-library.ts';

interface NativeSessionParts {
  readonly library: OrtLibrary;
  readonly memoryInfo: Pointer;
  readonly session: Pointer;
  readonly inputs: readonly string[];
  readonly outputs: readonly GraphOutput[];
  readonly arrays: ArrayPool;
  readonly onDisposed: () => void;
}

/** A compiled graph that reads its inputs in place and writes its outputs into the arrays it returns. */
export class NativeSession implements CompiledGraph {
  readonly #parts: NativeSessionParts;
  readonly #inputNames: CStrings;
  readonly #outputNames: CStrings;
  #running = 0;
  #isDisposed = false;

  constructor(parts: NativeSessionParts) {
    this.#parts = parts;
    this.#inputNames = cStrings(parts.library, parts.inputs);
    this.#outputNames = cStrings(
      parts.library,
      parts.outputs.map(({ name }) => name),
    );
  }

  run(inputs: readonly StoredTensor[], options?: RunOptions): HostArray[] {
    const run = this.#prepare(inputs.map(hostTensor), options);
    try {
      this.#parts.library.call('Run', ...run.args);
      return run.results;
    } finally {
      this.#release(run);
    }
  }

  async runAsync(inputs: readonly StoredTensor[], options?: RunOptions): Promise<HostArray[]> {
    const run = this.#prepare(inputs.map(hostTensor), options);
    try {
      await this.#call(run);
      return run.results;
    } finally {
      this.#release(run);
    }
  }

  bind(inputs: readonly StoredTensor[], options?: RunOptions): BoundRun {
    const run = this.#prepare(inputs.map(hostTensor), options);
    const session = this;
    let isDisposed = false;
    return {
      results: run.results,
      get isStale() {
        return session.#isDisposed;
      },
      run: () => {
        if (isDisposed) throw new Error('A run was repeated after it was disposed of.');
        return this.#call(run);
      },
      dispose: () => {
        if (!isDisposed) this.#release(run);
        isDisposed = true;
      },
    };
  }

  async #call(run: Run): Promise<void> {
    if (this.#isDisposed) throw new Error('A graph was run after it was disposed of.');
    this.#running++;
    try {
      await this.#parts.library.callAsync('Run', ...run.args);
    } finally {
      this.#running--;
      if (this.#isDisposed) this.#end();
    }
  }

  /** A run in progress ends first. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#end();
  }

  #end(): void {
    if (this.#running > 0) return;
    this.#parts.library.release('Session', this.#parts.session);
    this.#parts.onDisposed();
  }

  #prepare(inputs: readonly HostTensor[], { shapes = [] }: RunOptions = {}): Run {
    const { library, memoryInfo, session, arrays } = this.#parts;
    const outputs = this.#parts.outputs.map((one, i) => ({ ...one, shape: shapes[i] ?? one.shape }));
    const results = outputs.map((output) => overwritten(output, inputs) ?? arrays.take(output));
    const fed = inputs.map((input) => library.createTensor(memoryInfo, input));
    const filled = outputs.map(({ shape, type }, i) =>
      library.createTensor(memoryInfo, { shape, type, data: results[i] ?? noData }),
    );
    const [feeds, fetches] = [pointerArray(fed), pointerArray(filled)];
    const [inputNames, outputNames] = [this.#inputNames, this.#outputNames];
    const args = [
      ...[session, null, library.address(inputNames.pointers), library.address(feeds), inputs.length],
      ...[library.address(outputNames.pointers), outputs.length, library.address(fetches)],
    ];
    return { values: [...fed, ...filled], args, results, pointedAt: [inputs, feeds, fetches] };
  }

  #release({ values }: Run): void {
    for (const value of values) this.#parts.library.release('Value', value);
  }
}

interface Run {
  readonly values: readonly Pointer[];
  readonly args: readonly (Pointer | number | null)[];
  readonly results: HostArray[];
  /** What `args` points at, kept from being collected. */
  readonly pointedAt: readonly unknown[];
}

const noData = new Float32Array();

const overwritten = ({ overwrites }: GraphOutput, inputs: readonly HostTensor[]): HostArray | undefined =>
  overwrites === undefined ? undefined : inputs[overwrites]?.data;

interface CStrings {
  readonly pointers: BigUint64Array;
  /** Holds the characters that `pointers` points at. */
  readonly text: Buffer;
}

function cStrings(library: OrtLibrary, strings: readonly string[]): CStrings {
  const text = Buffer.from(`${strings.join('\0')}\0`);
  const start = library.address(text);
  let offset = 0;
  const pointers = strings.map((string) => {
    const pointer = start + BigInt(offset);
    offset += Buffer.byteLength(string) + 1;
    return pointer;
  });
  return { pointers: pointerArray(pointers), text };
}

/**
 * Arrays for results, recycled ones first. A new array costs more than its memory: the system maps its pages while the engine
 * writes to them, which takes as long as a matrix product, and it stays until it is collected.
 */
export class ArrayPool {
  readonly #free = new Map<number, Float32Array[]>();
  readonly #taken = new WeakSet<HostArray>();

  /** Takes back arrays that `take` gave out and ignores all others, so the pool never exceeds the most in use at a time. */
  recycle(arrays: Iterable<HostArray>): void {
    for (const array of new Set(arrays)) {
      if (!(array instanceof Float32Array && this.#taken.delete(array))) continue;
      const sameSize = this.#free.get(array.byteLength) ?? [];
      sameSize.push(array);
      this.#free.set(array.byteLength, sameSize);
    }
  }

  /** An array for an output, with arbitrary content: the engine writes all of it. */
  take({ shape, type }: GraphOutput): HostArray {
    const bytes = sizeOf(shape) * ELEMENT_BYTES[type];
    const recycled = type === 'float32' ? this.#free.get(bytes)?.pop() : undefined;
    const array = recycled ?? uninitializedArray(type, bytes);
    this.#taken.add(array);
    return array;
  }
}

function uninitializedArray(type: ElementType, bytes: number): HostArray {
  const { buffer } = Buffer.allocUnsafeSlow(bytes); // not pooled: the array starts at the buffer's first byte
  switch (type) {
    case 'float32':
      return new Float32Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'bool':
    case 'uint8':
    case 'uint4':
      return new Uint8Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'double':
      return new Float64Array(buffer);
    case 'float16':
    case 'bfloat16':
      return neverOnHost(type);
    default:
      return type satisfies never;
  }
}
