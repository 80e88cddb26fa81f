import * as tf from '@tensorflow/tfjs-core';
import type { HostArray } from './graph/element-type.ts';
import { type GraphPlan, planGraph } from './graph/graph-plan.ts';
import { GraphRecorder, type ValueStorage } from './graph/graph-recorder.ts';
import type { GraphValue } from './graph/graph-value.ts';
import { heldValue } from './graph/held-value.ts';
import type { GraphRunner, HostTensor } from './session/graph-runner.ts';
import { SessionCache } from './session/session-cache.ts';

export interface BackendStatistics {
  readonly pendingNodes: number;
  readonly runs: number;
  readonly sessionsHeld: number;
  readonly sessionsCompiled: number;
}

let lastWeight = 0;

/**
 * A backend of tfjs that computes nothing until data is read: kernels record ONNX nodes, and a read runs all that
 * living tensors depend on as one model, found again by its structure. One thread uses it: a run blocks.
 */
export class OnnxBackend extends tf.KernelBackend implements ValueStorage {
  readonly runner: GraphRunner;
  /** With more pending nodes than this it computes without being asked. */
  readonly mostPendingNodes: number;
  /** Where kernels write to. */
  readonly recorder: GraphRecorder = new GraphRecorder(this);
  readonly #sessions: SessionCache;
  readonly #values = new tf.DataStorage<GraphValue>(this, tf.engine());
  #runs = 0;
  /** The run that is under way beside this thread. */
  #flight: Promise<void> | undefined;

  constructor({ runner, mostPendingNodes }: { runner: GraphRunner; mostPendingNodes: number }) {
    super();
    this.runner = runner;
    this.mostPendingNodes = mostPendingNodes;
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
    return planGraph(this.recorder.pending, { takesWeights: this.runner.isNative });
  }

  /** Keeps a chain of kernels that nobody reads from growing without bound. Called between kernels only. */
  flushIfLong(): void {
    if (this.recorder.pending.length > this.mostPendingNodes) this.flush();
  }

  graphValueOf({ dataId }: tf.TensorInfo): GraphValue {
    return this.#values.get(dataId);
  }

  register(value: GraphValue): object {
    const dataId = {};
    value.references = 1;
    this.#values.set(dataId, value);
    return dataId;
  }

  /** From now on the elements of these tensors are taken to stay as they are, until the returned function is called. */
  holdConstant(tensors: readonly tf.TensorInfo[]): () => void {
    const values = tensors.map((tensor) => this.graphValueOf(tensor));
    if (values.some(({ data }) => data === null)) this.flush();
    const held = values.filter(({ weight }) => weight === 0);
    for (const value of held) value.weight = ++lastWeight;
    return () => {
      this.#sessions.giveUp(new Set(held.map(({ weight }) => weight)));
      for (const value of held) value.weight = 0;
    };
  }

  /** The arrays of these tensors, which are about to be disposed of, may take later results. */
  recycle(tensors: readonly tf.Tensor[]): void {
    if (this.recorder.pending.length > 0) return; // one of them may be waited for
    const values = tensors.filter(({ isDisposed }) => !isDisposed).map((tensor) => this.graphValueOf(tensor));
    this.runner.recycle?.(values.flatMap(({ references, data }) => (references === 1 && data) || []));
  }

  addReference({ dataId }: tf.TensorInfo): void {
    this.incRef(dataId);
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    return this.register(heldValue({ values, shape, dtype }));
  }

  // tfjs-core sets the number of parameters.
  override move(...[dataId, values, shape, dtype, references]: Parameters<tf.KernelBackend['move']>): void {
    const value = heldValue({ values, shape, dtype });
    value.references = references;
    this.#values.set(dataId, value);
  }

  override readSync(dataId: object): tf.BackendValues {
    // Also where the value itself is there already: whoever reads it may change it in place, so nothing may wait for it.
    this.flush();
    return dataOf(this.#values.get(dataId));
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    const value = this.#values.get(dataId);
    value.readers++;
    try {
      await this.flushAsync();
    } finally {
      value.readers--;
    }
    return dataOf(value);
  }

  override refCount(dataId: object): number {
    return this.#values.has(dataId) ? this.#values.get(dataId).references : 0;
  }

  override incRef(dataId: object): void {
    this.#values.get(dataId).references++;
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.#values.has(dataId)) return true;
    const value = this.#values.get(dataId);
    value.references--;
    if (!force && value.references > 0) return false;
    value.references = 0;
    this.#values.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.#values.numDataIds();
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: true, reasons: ['The memory of compiled graphs is not counted.'] };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return true;
  }

  override async time(work: () => void): Promise<tf.BackendTimingInfo> {
    const start = performance.now();
    work();
    this.flush();
    return { kernelMs: performance.now() - start };
  }

  override dispose(): void {
    this.#sessions.dispose();
  }
}

function inputsOf({ inputs }: GraphPlan): HostTensor[] {
  return inputs.map((value) => {
    if (value.failure !== null) throw value.failure;
    if (value.data === null) throw new Error('A value was recorded that nothing computes.');
    return { shape: value.shape, type: value.type, data: value.data };
  });
}

function settleAll({ outputs }: GraphPlan, results: readonly HostArray[]): void {
  outputs.forEach((value, i) => {
    settle(value, results[i] ?? new Error('The engine gave fewer results than the graph has outputs.'));
  });
}

function failAll({ outputs }: GraphPlan, cause: unknown): void {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const failure = new Error(`The tensors that were waiting could not be computed: ${reason}`, { cause });
  for (const value of outputs) settle(value, failure);
}

function dataOf(value: GraphValue): tf.BackendValues {
  if (value.failure !== null) throw value.failure;
  return value.data as tf.BackendValues; // set by the flush; no tensor of tfjs has int64 elements
}

/** From here on the value stands by itself: the nodes behind it are gone. */
function settle(value: GraphValue, outcome: HostArray | Error): void {
  if (value.data !== null) return; // computed by another run meanwhile
  if (outcome instanceof Error) value.failure = outcome;
  else value.data = outcome;
  value.producer = null;
  value.views = null;
}
