import { ONNX_TYPE } from '../graph/graph-value.ts';
import type { HostTensor } from '../session/graph-runner.ts';
import type { OrtLibrary, Pointer } from './ort-library.ts';

interface Entry {
  readonly pointer: Pointer;
  readonly tensor: HostTensor;
  holders: number;
}

/** One holder's share of a weight. */
interface HeldWeight {
  readonly pointer: Pointer;
  release(): void;
}

/** Weights that several sessions use, each read where it lies, and what the engine packed of them, once for all. */
export class SharedWeights {
  readonly #library: OrtLibrary;
  readonly #memoryInfo: Pointer;
  readonly #entries = new Map<ArrayBufferView, Entry>();
  #packed: Pointer | undefined;

  constructor({ library, memoryInfo }: { library: OrtLibrary; memoryInfo: Pointer }) {
    this.#library = library;
    this.#memoryInfo = memoryInfo;
  }

  /** Where the engine keeps packed weights. */
  get packed(): Pointer {
    this.#packed ??= this.#library.create('CreatePrepackedWeightsContainer');
    return this.#packed;
  }

  hold(tensor: HostTensor): HeldWeight {
    const entry = this.#entries.get(tensor.data) ?? this.#add(tensor);
    entry.holders++;
    return { pointer: entry.pointer, release: () => this.#release(entry) };
  }

  #add(tensor: HostTensor): Entry {
    const { data, shape, type } = tensor;
    const library = this.#library;
    const dimensions = BigInt64Array.from([...shape, 0], BigInt); // never empty, since nothing has no address
    const [bytes, rank] = [data.byteLength, shape.length];
    const words = [library.address(data), bytes, dimensions, rank, ONNX_TYPE[type]];
    const pointer = library.create('CreateTensorWithDataAsOrtValue', this.#memoryInfo, ...words);
    const entry = { pointer, tensor, holders: 0 };
    this.#entries.set(data, entry);
    return entry;
  }

  #release(entry: Entry): void {
    entry.holders--;
    if (entry.holders > 0) return;
    this.#entries.delete(entry.tensor.data);
    this.#library.release('Value', entry.pointer);
    // The engine never gives a packed weight up alone: all go when nobody uses any.
    if (this.#entries.size > 0 || this.#packed === undefined) return;
    this.#library.release('PrepackedWeightsContainer', this.#packed);
    this.#packed = undefined;
  }
}
