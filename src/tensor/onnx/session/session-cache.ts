import { totalmem } from 'node:os';
import { type GraphPlan, peakBytes } from '../graph/graph-plan.ts';
import { type CompiledGraph, compileRequest, type GraphRunner } from './graph-runner.ts';

/** Compiled graphs by the key of their plan; the least recently used is evicted first. */
export class SessionCache {
  readonly #runner: GraphRunner;
  readonly #limits: SessionLimits;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #compiled = 0;

  constructor(runner: GraphRunner, limits: SessionLimits = { sessions: 96, bytes: totalmem() / 4 }) {
    this.#runner = runner;
    this.#limits = limits;
  }

  /** Sessions held, and how many were compiled since the start. */
  get statistics(): { readonly held: number; readonly compiled: number } {
    return { held: this.#entries.size, compiled: this.#compiled };
  }

  find(plan: GraphPlan): CompiledGraph {
    const entry = this.#entries.get(plan.key) ?? this.#compile(plan);
    this.#entries.delete(plan.key);
    this.#entries.set(plan.key, entry); // a map keeps insertion order: the most recently used is last
    this.#evict();
    return entry.graph;
  }

  /** Disposes of the sessions with one of these weights compiled in. */
  disposeUsersOf(weights: ReadonlySet<number>): void {
    for (const [key, entry] of this.#entries)
      if (entry.weights.some((weight) => weights.has(weight))) this.#remove(key, entry);
  }

  dispose(): void {
    for (const { graph } of this.#entries.values()) graph.dispose();
    this.#entries.clear();
    this.#bytes = 0;
  }

  #compile(plan: GraphPlan): Entry {
    const graph = this.#runner.compile(compileRequest(plan));
    const bytes = this.#runner.isNative ? 0 : peakBytes(plan); // native sessions share one arena
    this.#bytes += bytes;
    this.#compiled++;
    return { graph, bytes, weights: plan.weights.map(({ weight }) => weight) };
  }

  #evict(): void {
    for (const [key, entry] of this.#entries) {
      const fits = this.#entries.size <= this.#limits.sessions && this.#bytes <= this.#limits.bytes;
      if (fits || this.#entries.size === 1) return;
      this.#remove(key, entry);
    }
  }

  #remove(key: string, { graph, bytes }: Entry): void {
    graph.dispose();
    this.#entries.delete(key);
    this.#bytes -= bytes;
  }
}

interface SessionLimits {
  readonly sessions: number;
  /** Limit of what the sessions' own arenas are expected to hold in total. */
  readonly bytes: number;
}

interface Entry {
  readonly graph: CompiledGraph;
  readonly bytes: number;
  readonly weights: readonly number[];
}
