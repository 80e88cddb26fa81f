import { UserError } from '../../../core/index.ts';
import { HeldArrays } from '../device/held-arrays.ts';
import { type GraphPlan, planGraph } from '../graph/graph-plan.ts';
import { GraphRecorder } from '../graph/graph-recorder.ts';
import { type DeviceArray, type GraphValue, type HostArray, hostArrayOf } from '../graph/graph-value.ts';
import type { ValueStorage } from '../graph/value-storage.ts';
import type { BoundRun, GraphRunner, RunOptions, StoredTensor } from './graph-runner.ts';
import { SessionCache } from './session-cache.ts';

export interface BackendStatistics {
  readonly pendingNodes: number;
  readonly runs: number;
  readonly sessionsHeld: number;
  readonly sessionsCompiled: number;
}

/** A recorded pass over arrays that it reads whenever it is computed. */
export interface BoundGraph {
  readonly key: string;
  readonly inputs: readonly StoredTensor[];
  readonly run: BoundRun;
  /** The arrays of the values that it was bound for. */
  readonly results: readonly HostArray[];
  readonly compute: () => Promise<void>;
}

/** What kernels have recorded and nothing has computed yet, and the sessions that compute it. Used by one thread. */
export class PendingGraph {
  /** Where kernels record. */
  readonly recorder: GraphRecorder;
  readonly #runner: GraphRunner;
  readonly #mostPendingNodes: number;
  readonly #sessions: SessionCache;
  readonly #held = new HeldArrays();
  #runs = 0;
  /** The asynchronous run in progress. */
  #running: Promise<void> | undefined;

  constructor({
    runner,
    storage,
    mostPendingNodes,
  }: {
    readonly runner: GraphRunner;
    readonly storage: ValueStorage;
    readonly mostPendingNodes: number;
  }) {
    this.recorder = new GraphRecorder(storage, runner);
    this.#runner = runner;
    this.#mostPendingNodes = mostPendingNodes;
    this.#sessions = new SessionCache(runner);
  }

  get statistics(): BackendStatistics {
    const { held, compiled } = this.#sessions.statistics;
    return {
      pendingNodes: this.recorder.pending.length,
      runs: this.#runs,
      sessionsHeld: held,
      sessionsCompiled: compiled,
    };
  }

  /** Runs everything that live tensors need. A value that cannot be computed fails when it is read. */
  flush(): void {
    const plan = this.#plan();
    this.recorder.clear();
    if (plan !== null) {
      try {
        this.#settleAll(plan, this.#sessions.find(plan).run(inputsOf(plan), optionsOf(plan)));
      } catch (cause) {
        failAll(plan, cause);
      }
      this.#runs++;
    }
    this.#held.free([]);
  }

  /** Compiles what was recorded to compute some values, in place of computing it. Nothing else may be pending. */
  bind(values: readonly GraphValue[]): BoundGraph {
    const plan = this.#plan();
    this.recorder.clear();
    if (plan === null) throw new Error('A pass without results was recorded.');
    const inputs = inputsOf(plan);
    const run = this.#sessions.find(plan).bind?.(inputs, optionsOf(plan));
    if (run === undefined) throw new Error('This engine does not repeat a run.');
    const results = values.map(
      (value) => run.results[plan.outputs.indexOf(value)] ?? hostArrayOf(value.data),
    );
    const compute = async () => {
      this.#runs++;
      await run.run();
    };
    return { key: plan.key, inputs, run, results, compute };
  }

  /** A tensor holds what is on the device. */
  hold({ data }: GraphValue): void {
    this.#held.hold(data);
  }

  /** A tensor no longer holds what is on the device. */
  letGo({ data }: GraphValue): void {
    this.#held.letGo(data);
    if (this.recorder.pending.length === 0) this.#held.free([]);
  }

  /** The same without blocking, if the engine can; when it resolves, everything recorded before is computed. */
  async flushAsync(): Promise<void> {
    // A run in progress may lack what was recorded since it started.
    if (this.#running !== undefined) await this.#running;
    if (this.recorder.pending.length === 0) return;
    this.#running ??= this.#runAsync().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #runAsync(): Promise<void> {
    const { pending } = this.recorder;
    const count = pending.length;
    const plan = this.#plan();
    if (plan !== null) {
      try {
        this.#settleAll(plan, await this.#sessions.find(plan).runAsync(inputsOf(plan), optionsOf(plan)));
      } catch (cause) {
        failAll(plan, cause);
      }
      this.#runs++;
    }
    // Otherwise a synchronous read has computed everything in the meantime and started a new list.
    if (this.recorder.pending === pending) this.recorder.forget(count);
    this.#held.free(this.recorder.pending);
  }

  /** Stores the results of a run in their values. */
  #settleAll({ outputs }: GraphPlan, results: readonly (HostArray | DeviceArray)[]): void {
    outputs.forEach((value, i) => {
      const result = results[i];
      settle(value, result ?? new Error('The engine returned fewer results than the graph has outputs.'));
      if (result === undefined) return;
      this.#held.hold(result);
      // Its tensor was disposed of while it was computed, or another run computed it first.
      if (value.references === 0 || value.data !== result) this.#held.letGo(result);
    });
  }

  #plan(): GraphPlan | null {
    return planGraph(this.recorder.pending, { takesWeights: this.#runner.isNative });
  }

  /** Bounds a chain of kernels that is never read. Called between kernels only. */
  flushIfLong(): void {
    if (this.recorder.pending.length > this.#mostPendingNodes) this.flush();
  }

  /** Disposes of the sessions into which one of these weights is compiled. */
  disposeSessionsOf(weights: ReadonlySet<number>): void {
    this.#sessions.disposeUsersOf(weights);
  }

  dispose(): void {
    this.#sessions.dispose();
  }
}

/** The inputs of a planned graph; throws if one could not be computed. */
function inputsOf({ inputs }: GraphPlan): StoredTensor[] {
  return inputs.map((value) => {
    if (value.failure !== null) throw value.failure;
    if (value.data === null) throw new Error('A recorded value has no node that computes it.');
    return { shape: value.shape, type: value.type, data: value.data };
  });
}

function optionsOf({ outputs }: GraphPlan): RunOptions {
  const onHost = new Set(outputs.flatMap(({ readers }, index) => (readers > 0 ? [index] : [])));
  return { onHost, shapes: outputs.map(({ shape }) => shape) };
}

/** Stores the reason why there are no results. */
function failAll({ outputs }: GraphPlan, cause: unknown): void {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const failure =
    cause instanceof UserError
      ? cause
      : new Error(`The tensors that were waiting could not be computed: ${reason}`, { cause });
  for (const value of outputs) settle(value, failure);
}

/** Stores a value's elements or failure, and frees the nodes behind it. */
function settle(value: GraphValue, outcome: HostArray | DeviceArray | Error): void {
  if (value.data !== null) return; // already computed by another run
  if (outcome instanceof Error) value.failure = outcome;
  else value.data = outcome;
  value.producer = null;
  value.views = null;
}
