import { type GraphPlan, planGraph } from '../graph/graph-plan.ts';
import { GraphRecorder, type ValueStorage } from '../graph/graph-recorder.ts';
import type { GraphValue, HostArray } from '../graph/graph-value.ts';
import type { GraphRunner, HostTensor } from './graph-runner.ts';
import { SessionCache } from './session-cache.ts';

export interface BackendStatistics {
  readonly pendingNodes: number;
  readonly runs: number;
  readonly sessionsHeld: number;
  readonly sessionsCompiled: number;
}

interface PendingGraphOptions {
  readonly runner: GraphRunner;
  readonly storage: ValueStorage;
  /** With more pending nodes than this it computes without being asked. */
  readonly mostPendingNodes: number;
}

/** What kernels have recorded and nothing has computed yet, and the sessions that compute it. One thread uses it. */
export class PendingGraph {
  /** Where kernels write to. */
  readonly recorder: GraphRecorder;
  readonly #runner: GraphRunner;
  readonly #mostPendingNodes: number;
  readonly #sessions: SessionCache;
  #runs = 0;
  /** The run that is under way beside this thread. */
  #flight: Promise<void> | undefined;

  constructor({ runner, storage, mostPendingNodes }: PendingGraphOptions) {
    this.recorder = new GraphRecorder(storage);
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

  /** Runs everything that living tensors wait for. What could not be computed fails where it is read. */
  flush(): void {
    const plan = this.#plan();
    this.recorder.clear();
    if (plan === null) return;
    try {
      settleAll(plan, this.#sessions.find(plan).run(inputsOf(plan)));
    } catch (cause) {
      failAll(plan, cause);
    }
    this.#runs++;
  }

  /** The same beside this thread, where the engine can; everything recorded so far is computed when it resolves. */
  async flushAsync(): Promise<void> {
    // What runs already may lack what was recorded since.
    if (this.#flight !== undefined) await this.#flight;
    if (this.recorder.pending.length === 0) return;
    this.#flight ??= this.#fly().finally(() => {
      this.#flight = undefined;
    });
    await this.#flight;
  }

  async #fly(): Promise<void> {
    const { pending } = this.recorder;
    const count = pending.length;
    const plan = this.#plan();
    if (plan !== null) {
      try {
        settleAll(plan, await this.#sessions.find(plan).runAsync(inputsOf(plan)));
      } catch (cause) {
        failAll(plan, cause);
      }
      this.#runs++;
    }
    // A synchronous read meanwhile has computed everything by itself and begun anew.
    if (this.recorder.pending === pending) this.recorder.forget(count);
  }

  #plan(): GraphPlan | null {
    return planGraph(this.recorder.pending, { takesWeights: this.#runner.isNative });
  }

  /** Keeps a chain of kernels that nobody reads from growing without bound. Called between kernels only. */
  flushIfLong(): void {
    if (this.recorder.pending.length > this.#mostPendingNodes) this.flush();
  }

  /** Gives up the sessions into which one of these weights is compiled. */
  giveUp(weights: ReadonlySet<number>): void {
    this.#sessions.giveUp(weights);
  }

  dispose(): void {
    this.#sessions.dispose();
  }
}

/** What a planned graph starts from; throws where that could not be computed. */
function inputsOf({ inputs }: GraphPlan): HostTensor[] {
  return inputs.map((value) => {
    if (value.failure !== null) throw value.failure;
    if (value.data === null) throw new Error('A value was recorded that nothing computes.');
    return { shape: value.shape, type: value.type, data: value.data };
  });
}

/** Leaves the results of a run with the values that stand for them. */
function settleAll({ outputs }: GraphPlan, results: readonly HostArray[]): void {
  outputs.forEach((value, i) => {
    settle(value, results[i] ?? new Error('The engine gave fewer results than the graph has outputs.'));
  });
}

/** Leaves the reason why there are none. */
function failAll({ outputs }: GraphPlan, cause: unknown): void {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const failure = new Error(`The tensors that were waiting could not be computed: ${reason}`, { cause });
  for (const value of outputs) settle(value, failure);
}

/** From here on the value stands by itself: the nodes behind it are gone. */
function settle(value: GraphValue, outcome: HostArray | Error): void {
  if (value.data !== null) return; // computed by another run meanwhile
  if (outcome instanceof Error) value.failure = outcome;
  else value.data = outcome;
  value.producer = null;
  value.views = null;
}
