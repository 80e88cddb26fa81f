import type { ElementType, HostArray } from '../graph/element-type.ts';
import { uninitializedArray } from './uninitialized-array.ts';

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
