import type { DagNode } from '../graph/dag.ts';

/** Hands out the stages whose inputs are all known; among several, in topological order. */
export class StageQueue {
  readonly #nodes: ReadonlyMap<string, DagNode>;
  readonly #open: Map<string, number>;
  readonly #dependents = new Map<string, string[]>();
  readonly #ready: DagNode[] = [];

  constructor(nodes: ReadonlyMap<string, DagNode>) {
    this.#nodes = nodes;
    this.#open = new Map();
    for (const [id, node] of nodes) {
      const upstream = new Set(Object.values(node.inputs).map(({ stage }) => stage));
      this.#open.set(id, upstream.size);
      for (const stage of upstream) this.#dependentsOf(stage).push(id);
      if (upstream.size === 0) this.#ready.push(node);
    }
  }

  /** The stages that can be decided now, and have not been handed out. */
  takeReady(): readonly DagNode[] {
    return this.#ready.splice(0);
  }

  /** The outputs of a stage are known: stages that waited for nothing else become ready. */
  ended(id: string): void {
    for (const dependent of this.#dependents.get(id) ?? []) {
      const open = (this.#open.get(dependent) ?? 0) - 1;
      this.#open.set(dependent, open);
      const node = this.#nodes.get(dependent);
      if (open === 0 && node !== undefined) this.#ready.push(node);
    }
  }

  #dependentsOf(id: string): string[] {
    const known = this.#dependents.get(id) ?? [];
    this.#dependents.set(id, known);
    return known;
  }
}
