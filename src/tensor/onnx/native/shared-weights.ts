import type { HostTensor } from '../session/graph-runner.ts';
import type { OrtLibrary, Pointer } from './ort-library.ts';

interface Entry {
  readonly pointer: Pointer;
  readonly tensor: HostTensor;
  references: number;
}

/** Weights that sessions share, each read from the host's own array, and the engine's packed copies, made once for all. */
export class SharedWeights {
  readonly #library: OrtLibrary;
  readonly #memoryInfo: Pointer;
  readonly #entries = new Map<ArrayBufferView, Entry>();
  #packed: Pointer | undefined;

  constructor({ library, memoryInfo }: { library: OrtLibrary; memoryInfo: Pointer }) {
    this.#library = library;
    this.#memoryInfo = memoryInfo;
  }

  /** The container in which the engine keeps packed weights. */
  get packed(): Pointer {
    this.#packed ??= this.#library.create('CreatePrepackedWeightsContainer');
    return this.#packed;
  }

  /** The weight for one more session, which releases it when it is disposed of. */
  acquire(tensor: HostTensor): { readonly pointer: Pointer; readonly release: () => void } {
    const entry = this.#entries.get(tensor.data) ?? this.#add(tensor);
    entry.references++;
    return { pointer: entry.pointer, release: () => this.#release(entry) };
  }

  #add(tensor: HostTensor): Entry {
    const pointer = this.#library.createTensor(this.#memoryInfo, tensor);
    const entry = { pointer, tensor, references: 0 };
    this.#entries.set(tensor.data, entry);
    return entry;
  }

  #release(entry: Entry): void {
    entry.references--;
    if (entry.references > 0) return;
    this.#entries.delete(entry.tensor.data);
    this.#library.release('Value', entry.pointer);
    // The engine cannot free a single packed weight: all are freed once none is used.
    if (this.#entries.size > 0 || this.#packed === undefined) return;
    this.#library.release('PrepackedWeightsContainer', this.#packed);
    this.#packed = undefined;
  }
}
