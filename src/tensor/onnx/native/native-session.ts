import { ELEMENT_BYTES, type ElementType, type HostArray, ONNX_TYPE, sizeOf } from '../graph/graph-value.ts';
import type { CompiledGraph, GraphOutput, HostTensor } from '../session/graph-runner.ts';
import type { OrtLibrary, Pointer } from './ort-library.ts';

interface NativeSessionParts {
  readonly library: OrtLibrary;
  readonly memoryInfo: Pointer;
  readonly session: Pointer;
  readonly inputs: readonly string[];
  readonly outputs: readonly GraphOutput[];
  readonly spare: SpareArrays;
  readonly onDisposed: () => void;
}

/** Everything that one run points at. */
interface Run {
  readonly values: readonly Pointer[];
  readonly words: readonly (Pointer | number | null)[];
  readonly results: HostArray[];
  readonly kept: readonly unknown[];
}

/** A compiled graph that reads its inputs where they are and writes its outputs where they will be read. */
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

  run(inputs: readonly HostTensor[]): HostArray[] {
    const run = this.#prepare(inputs);
    try {
      this.#parts.library.call('Run', ...run.words);
      return run.results;
    } finally {
      this.#release(run);
    }
  }

  async runAsync(inputs: readonly HostTensor[]): Promise<HostArray[]> {
    const run = this.#prepare(inputs);
    this.#running++;
    try {
      await this.#parts.library.callAsync('Run', ...run.words);
      return run.results;
    } finally {
      this.#running--;
      this.#release(run);
      if (this.#isDisposed) this.#end();
    }
  }

  /** A run that is under way ends first. */
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

  #prepare(inputs: readonly HostTensor[]): Run {
    const { library, session, outputs, spare } = this.#parts;
    const results = outputs.map((output) => overwritten(output, inputs) ?? arrayFor(output, spare));
    const fed = inputs.map((input) => this.#valueOver(input));
    const filled = outputs.map(({ shape, type }, i) =>
      this.#valueOver({ shape, type, data: results[i] ?? noData }),
    );
    const [feeds, fetches] = [pointers(fed), pointers(filled)];
    const [inputNames, outputNames] = [this.#inputNames, this.#outputNames];
    const words = [
      ...[session, null, library.address(inputNames.places), library.address(feeds), inputs.length],
      ...[library.address(outputNames.places), outputs.length, library.address(fetches)],
    ];
    return { values: [...fed, ...filled], words, results, kept: [inputs, feeds, fetches] };
  }

  #valueOver({ shape, type, data }: HostTensor): Pointer {
    const { library, memoryInfo } = this.#parts;
    const [bytes, rank] = [data.byteLength, shape.length];
    const dimensions = pointers(shape.map(BigInt));
    const words = [library.address(data), bytes, dimensions, rank, ONNX_TYPE[type]];
    return library.create('CreateTensorWithDataAsOrtValue', memoryInfo, ...words);
  }

  #release({ values }: Run): void {
    for (const value of values) this.#parts.library.release('Value', value);
  }
}

const noData = new Float32Array();

const overwritten = ({ overwrites }: GraphOutput, inputs: readonly HostTensor[]): HostArray | undefined =>
  overwrites === undefined ? undefined : inputs[overwrites]?.data;

const arrayFor = ({ shape, type }: GraphOutput, spare: SpareArrays): HostArray =>
  spare.take(type, sizeOf(shape) * ELEMENT_BYTES[type]);

/** Never empty, since nothing has no address. */
function pointers(values: readonly bigint[]): BigUint64Array {
  const array = new BigUint64Array(values.length + 1);
  array.set(values);
  return array;
}

interface CStrings {
  readonly places: BigUint64Array;
  /** Holds the characters that `places` points at. */
  readonly text: Buffer;
}

function cStrings(library: OrtLibrary, words: readonly string[]): CStrings {
  const text = Buffer.from(`${words.join('\0')}\0`);
  const start = library.address(text);
  let offset = 0;
  const places = words.map((word) => {
    const place = start + BigInt(offset);
    offset += Buffer.byteLength(word) + 1;
    return place;
  });
  return { places: pointers(places), text };
}

/**
 * Arrays for results, first of all those that were handed back. A new one costs more than its memory: the system makes its
 * pages while the engine writes to them, which takes as long as a product of matrices, and it stays until it is collected.
 */
export class SpareArrays {
  readonly #spare = new Map<number, Float32Array[]>();
  readonly #made = new WeakSet<HostArray>();

  /** Takes back what `take` gave; anything else is left alone, so that there are never more than were in use at once. */
  give(arrays: Iterable<HostArray>): void {
    for (const array of new Set(arrays)) {
      if (!(array instanceof Float32Array && this.#made.delete(array))) continue;
      const equal = this.#spare.get(array.byteLength) ?? [];
      equal.push(array);
      this.#spare.set(array.byteLength, equal);
    }
  }

  /** An array of so many bytes for something that writes all of it. */
  take(type: ElementType, bytes: number): HostArray {
    const array = this.#given(type, bytes) ?? uninitializedArray(type, bytes);
    this.#made.add(array);
    return array;
  }

  #given(type: ElementType, bytes: number): HostArray | undefined {
    return type === 'float32' ? this.#spare.get(bytes)?.pop() : undefined;
  }
}

/** An array of so many bytes for something that writes all of it: it holds whatever was there before. */
function uninitializedArray(type: ElementType, bytes: number): HostArray {
  const { buffer } = Buffer.allocUnsafeSlow(bytes); // a buffer of its own, which begins at its first byte
  switch (type) {
    case 'float32':
      return new Float32Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'bool':
    case 'uint8':
      return new Uint8Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'double':
      return new Float64Array(buffer);
    default:
      return type satisfies never;
  }
}
