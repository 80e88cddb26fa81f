import type { BoundPass } from '../../recorded-pass.ts';
import type { HostArray } from '../graph/graph-value.ts';
import { hostTensor, type StoredTensor } from './graph-runner.ts';
import type { BoundGraph } from './pending-graph.ts';

/** A recorded pass that the native runner repeats. */
export class NativePass implements BoundPass {
  readonly #graph: BoundGraph;

  constructor(graph: BoundGraph) {
    this.#graph = graph;
  }

  get isStale(): boolean {
    return this.#graph.run.isStale;
  }

  readsLike(other: BoundPass): boolean {
    if (!(other instanceof NativePass) || other.#graph.key !== this.#graph.key) return false;
    return this.#graph.inputs.every((input, index) => readsLike(input, other.#graph.inputs[index]));
  }

  async run(): Promise<readonly Float32Array[]> {
    await this.#graph.compute();
    return this.#graph.results as readonly Float32Array[]; // a pass returns floats
  }

  dispose(): void {
    this.#graph.run.dispose();
  }
}

/** Whether two inputs are over the same memory, or have equal shapes and elements. */
function readsLike(one: StoredTensor, other: StoredTensor | undefined): boolean {
  if (other === undefined || one.shape.join() !== other.shape.join()) return false;
  const [a, b] = [bytesOf(hostTensor(one).data), bytesOf(hostTensor(other).data)];
  return (a.buffer === b.buffer && a.byteOffset === b.byteOffset) || a.equals(b);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: HostArray) =>
  Buffer.from(buffer, byteOffset, byteLength);
