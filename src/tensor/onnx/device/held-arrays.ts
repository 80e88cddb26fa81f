import { type DeviceArray, type GraphNode, type HostArray, isOnDevice } from '../graph/graph-value.ts';

type Data = HostArray | DeviceArray | null;

/**
 * Counts the tensors that hold each array of a device. Collection of garbage knows nothing of a device's memory, so an
 * array is freed here: once no tensor holds it and no pending node reads it. Arrays of the host are ignored.
 */
export class HeldArrays {
  readonly #holders = new Map<DeviceArray, number>();
  readonly #unheld = new Set<DeviceArray>();

  /** One more tensor holds the array. */
  hold(data: Data): void {
    if (!isOnDevice(data)) return;
    this.#unheld.delete(data);
    this.#holders.set(data, (this.#holders.get(data) ?? 0) + 1);
  }

  /** A tensor no longer holds the array. */
  letGo(data: Data): void {
    if (!isOnDevice(data)) return;
    const left = (this.#holders.get(data) ?? 0) - 1;
    if (left > 0) this.#holders.set(data, left);
    else {
      this.#holders.delete(data);
      this.#unheld.add(data);
    }
  }

  /** Frees what no tensor holds and none of these nodes reads. */
  free(pending: readonly GraphNode[]): void {
    if (this.#unheld.size === 0) return;
    const read = new Set(pending.flatMap(({ inputs }) => inputs.map(({ data }) => data)));
    for (const array of this.#unheld) {
      if (read.has(array)) continue;
      this.#unheld.delete(array);
      array.release();
    }
  }
}
