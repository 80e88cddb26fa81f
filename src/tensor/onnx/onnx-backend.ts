import * as tf from '@tensorflow/tfjs-core';
import type { HalfPrecision } from '../ops/product-precision.ts';
import type { BoundPass } from '../recorded-pass.ts';
import type { GraphRecorder } from './graph/graph-recorder.ts';
import {
  type ElementType,
  type GraphValue,
  graphValue,
  type HostArray,
  isOnDevice,
  sizeOf,
} from './graph/graph-value.ts';
import type { ValueStorage } from './graph/value-storage.ts';
import type { GraphRunner } from './session/graph-runner.ts';
import { NativePass } from './session/native-pass.ts';
import { type BackendStatistics, PendingGraph } from './session/pending-graph.ts';

let lastWeight = 0;

/** Elements from which a copy costs more than another binding. */
const LEAST_UPLOADED = 16;

/**
 * A tfjs backend that computes nothing until data is read: kernels record ONNX nodes, and a read runs everything that live
 * tensors depend on as one model, whose session is found again by its structure. Used by one thread.
 */
export class OnnxBackend extends tf.KernelBackend implements ValueStorage {
  readonly runner: GraphRunner;
  /** With more pending nodes than this it computes without a read. */
  readonly mostPendingNodes: number;
  readonly #graph: PendingGraph;
  readonly #values = new tf.DataStorage<GraphValue>(this, tf.engine());

  constructor({ runner, mostPendingNodes }: { runner: GraphRunner; mostPendingNodes: number }) {
    super();
    this.runner = runner;
    this.mostPendingNodes = mostPendingNodes;
    this.#graph = new PendingGraph({ runner, storage: this, mostPendingNodes });
  }

  get statistics(): BackendStatistics {
    return this.#graph.statistics;
  }

  /** The 16-bit types in which it multiplies matrices: see ops/product-precision.ts. */
  get halfPrecisions(): readonly HalfPrecision[] {
    return this.runner.halfPrecisions ?? [];
  }

  /** Where the next kernel records. Called between kernels only: a chain that has grown too long is computed first. */
  recorderOfNextKernel(): GraphRecorder {
    this.#graph.flushIfLong();
    return this.#graph.recorder;
  }

  graphValueOf({ dataId }: tf.TensorInfo): GraphValue {
    return this.#values.get(dataId);
  }

  register(value: GraphValue): object {
    const dataId = {};
    value.references = 1;
    this.#values.set(dataId, value);
    this.#graph.hold(value);
    return dataId;
  }

  /** Takes the elements of these tensors as constant, so that graphs may compile them in, until the result is called. */
  markConstant(tensors: readonly tf.TensorInfo[]): () => void {
    const values = tensors.map((tensor) => this.graphValueOf(tensor));
    if (values.some(({ data }) => data === null)) this.#graph.flush();
    const marked = values.filter(({ weight }) => weight === 0);
    for (const value of marked) value.weight = ++lastWeight;
    return () => {
      this.#graph.disposeSessionsOf(new Set(marked.map(({ weight }) => weight)));
      for (const value of marked) value.weight = 0;
    };
  }

  computePending(): void {
    this.#graph.flush();
  }

  bind(record: () => tf.Tensor[]): BoundPass {
    this.#graph.flush();
    const tensors = tf.tidy(record);
    try {
      return new NativePass(this.#graph.bind(tensors.map((tensor) => this.graphValueOf(tensor))));
    } finally {
      this.#graph.recorder.clear();
      tf.dispose(tensors);
    }
  }

  /** Whether it compiles a graph once for all sizes, and repeats a recorded pass. */
  get isNative(): boolean {
    return this.runner.isNative;
  }

  withOpenSizes<Result>(record: () => Result): Result {
    return this.isNative ? this.#graph.recorder.withOpenSizes(record) : record();
  }

  /** Lets later results take the arrays of these tensors, which are about to be disposed of. */
  recycle(tensors: readonly tf.Tensor[]): void {
    if (this.#graph.recorder.pending.length > 0) return; // a pending node may still need one
    const values = tensors.filter(({ isDisposed }) => !isDisposed).map((tensor) => this.graphValueOf(tensor));
    this.runner.recycle?.(
      values.flatMap(({ references, data }) =>
        references === 1 && data !== null && !isOnDevice(data) ? [data] : [],
      ),
    );
  }

  addReference({ dataId }: tf.TensorInfo): void {
    this.incRef(dataId);
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    return this.register(this.#stored(hostValue({ values, shape, dtype })));
  }

  // tfjs-core sets the number of parameters.
  override move(...[dataId, values, shape, dtype, references]: Parameters<tf.KernelBackend['move']>): void {
    const value = this.#stored(hostValue({ values, shape, dtype }));
    value.references = references;
    this.#values.set(dataId, value);
    this.#graph.hold(value);
  }

  replace({ dataId }: tf.TensorInfo, value: GraphValue): void {
    const before = this.#values.get(dataId);
    value.references = before.references;
    before.references = 0;
    this.#values.set(dataId, value);
    this.#graph.hold(value);
    this.#graph.letGo(before);
  }

  /** Copies a large array to the device, if there is one: it may be read by many graphs. */
  #stored(value: GraphValue): GraphValue {
    const { device } = this.runner;
    const { data, shape, type } = value;
    if (device === undefined || data === null || isOnDevice(data)) return value;
    if (type === 'float32' && sizeOf(shape) >= LEAST_UPLOADED)
      value.data = device.upload({ shape, type, data });
    return value;
  }

  #dataOf(value: GraphValue): tf.BackendValues {
    const { data, shape, type, failure } = value;
    if (failure !== null) throw failure;
    const { device } = this.runner;
    const values = device && isOnDevice(data) ? device.download({ shape, type, data }) : data;
    return values as tf.BackendValues; // set by the flush; no tfjs tensor has int64 elements
  }

  override readSync(dataId: object): tf.BackendValues {
    // Even if the value is already computed: the reader may change it in place, so no pending node may depend on it.
    const value = this.#values.get(dataId);
    value.readers++;
    try {
      this.#graph.flush();
    } finally {
      value.readers--;
    }
    return this.#dataOf(value);
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    const value = this.#values.get(dataId);
    value.readers++;
    try {
      await this.#graph.flushAsync();
    } finally {
      value.readers--;
    }
    return this.#dataOf(value);
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
    this.#graph.letGo(value);
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
    this.#graph.flush();
    return { kernelMs: performance.now() - start };
  }

  override dispose(): void {
    this.#graph.dispose();
  }
}

/** A graph value over the host array that a tfjs tensor was made from. */
function hostValue({
  values,
  shape,
  dtype,
}: {
  readonly values: tf.BackendValues;
  readonly shape: number[];
  readonly dtype: tf.DataType;
}): GraphValue {
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
    throw new Error(`The onnx backend holds float32, int32 and bool tensors, not ${dtype}.`);
  }
  return graphValue({ shape, type: dtype satisfies ElementType, data: values as HostArray }); // typed by dtype
}
