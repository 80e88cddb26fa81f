import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { broadcastShape } from './broadcast-shape.ts';
import type { EngineTraits } from './engine-traits.ts';
import { withoutFirst } from './graph-plan.ts';
import {
  type ElementType,
  type GraphNode,
  type GraphValue,
  graphValue,
  type HalfType,
  type HostArray,
  hostArray,
  ONNX_TYPE,
  type Operator,
  operator,
  sameShape,
  sizeOf,
  type TensorSpec,
} from './graph-value.ts';
import type { ValueStorage } from './value-storage.ts';

const RESHAPE = operator('Reshape');
const EXPAND = operator('Expand');
const IDENTITY = operator('Identity');

/** What a kernel records with: it turns tensors into graph values, adds nodes over them and returns tensors. */
export class GraphRecorder {
  readonly #storage: ValueStorage;
  readonly #engine: EngineTraits;
  readonly #constants = new Map<string, GraphValue>();
  /** Those of the present graph: each is one input, however many nodes read it. */
  readonly #numbers = new Map<number, GraphValue>();
  /** Values of the present graph in half precision, by the value they were rounded from. */
  readonly #halves = new Map<GraphValue, GraphValue>();
  #nodes: GraphNode[] = [];
  #isOpen = false;

  constructor(storage: ValueStorage, engine: EngineTraits = {}) {
    this.#storage = storage;
    this.#engine = engine;
  }

  /** Whether the engine computes this operator where it computes the others. */
  has({ type }: Operator): boolean {
    return this.#engine.lacks?.has(type) !== true;
  }

  /** The most products of two factors in half precision that one node may add up. */
  get longestHalfSum(): number {
    return this.#engine.longestHalfSum ?? Number.POSITIVE_INFINITY;
  }

  get pending(): readonly GraphNode[] {
    return this.#nodes;
  }

  /** What `record` records is compiled once for all sizes: they are inputs. */
  withOpenSizes<Result>(record: () => Result): Result {
    const before = this.#isOpen;
    this.#isOpen = true;
    try {
      return record();
    } finally {
      this.#isOpen = before;
    }
  }

  /** Drops what was recorded, once it has run. */
  clear(): void {
    this.#nodes = [];
    this.#numbers.clear();
    this.#halves.clear();
  }

  /** Drops the first `count` nodes, which have run, except those that a later node still needs. */
  forget(count: number): void {
    this.#nodes = withoutFirst(this.#nodes, count);
    this.#halves.clear();
  }

  /** The value of a tensor, in that tensor's shape. */
  value(tensor: TensorInfo): GraphValue {
    return this.view(this.#storage.graphValueOf(tensor), tensor.shape);
  }

  /** The elements of a value in another shape of equal size. */
  view(value: GraphValue, shape: readonly number[]): GraphValue {
    if (sameShape(value.shape, shape)) return value;
    const known = value.views?.find((view) => sameShape(view.shape, shape));
    if (known !== undefined) return known;
    const view =
      value.data === null
        ? this.add({ operator: RESHAPE, inputs: [value, this.integers(shape)], shape })
        : graphValue({ shape, type: value.type, data: value.data });
    value.views ??= [];
    value.views.push(view);
    return view;
  }

  /** Records a node with one output, of the type of the first input by default. */
  add({
    operator,
    inputs,
    shape,
    type = inputs[0]?.type ?? 'float32',
  }: NodeToAdd & { readonly shape: readonly number[]; readonly type?: ElementType }): GraphValue {
    if (sizeOf(shape) === 0) return this.fromHost(hostArray(type, 0), { shape, type });
    const output = graphValue({ shape, type });
    const node = { operator, inputs, outputs: [output], isOpen: this.#isOpen };
    output.producer = node;
    this.#nodes.push(node);
    return output;
  }

  /** Records an elementwise node over values that broadcast; the result has the type of the last input. */
  apply(operator: Operator, inputs: readonly GraphValue[]): GraphValue {
    return this.add({
      operator,
      inputs,
      shape: broadcastShape(inputs),
      type: inputs.at(-1)?.type ?? 'float32',
    });
  }

  /** Records an elementwise node with a bool result. */
  test(operator: Operator, inputs: readonly GraphValue[]): GraphValue {
    return this.add({ operator, inputs, shape: broadcastShape(inputs), type: 'bool' });
  }

  cast(value: GraphValue, type: ElementType): GraphValue {
    if (value.type === type) return value;
    return this.add({
      operator: operator('Cast', { to: ONNX_TYPE[type] }),
      inputs: [value],
      shape: value.shape,
      type,
    });
  }

  /** The value in half precision. A weight or an activation is rounded once, however many products of the graph read it. */
  half(value: GraphValue, type: HalfType): GraphValue {
    const known = this.#halves.get(value);
    if (known?.type === type) return known;
    const made = this.cast(value, type);
    this.#halves.set(value, made);
    return made;
  }

  /**
   * A tensor filled with `value`. The value is an input: what depends on constants alone the engine computes while it
   * compiles, and keeps as long as the session.
   */
  filled(value: number, { shape, type }: TensorSpec): GraphValue {
    const fed = this.#constant(`fed ${type} ${value}`, () =>
      graphValue({ shape: [], type, data: hostArray(type, 1, value) }),
    );
    return this.add({ operator: EXPAND, inputs: [fed, this.integers(shape)], shape });
  }

  /** Records a node with several outputs. */
  addMany({
    operator,
    inputs,
    outputs,
  }: NodeToAdd & { readonly outputs: readonly TensorSpec[] }): GraphValue[] {
    const values = outputs.map(graphValue);
    const node = { operator, inputs, outputs: values, isOpen: this.#isOpen };
    for (const value of values) value.producer = node;
    this.#nodes.push(node);
    return values;
  }

  /** A value over an array on the host, fed as an input: the same session serves other elements. */
  fromHost(data: HostArray, spec: TensorSpec): GraphValue {
    return graphValue({ ...spec, data });
  }

  /** Axes, sizes and so on: an int64 vector, part of the graph's structure unless sizes are open. */
  integers(values: readonly number[]): GraphValue {
    const data = () => BigInt64Array.from(values, BigInt);
    return this.#size(`[${values.join()}]`, () => ({ shape: [values.length], type: 'int64', data: data() }));
  }

  /** The number of elements along an axis, as an operator takes it. */
  size(value: number): GraphValue {
    return this.#size(`size ${value}`, () => ({ shape: [], type: 'int32', data: Int32Array.of(value) }));
  }

  #size(name: string, make: () => Parameters<typeof graphValue>[0]): GraphValue {
    return this.#isOpen
      ? this.#constant(`fed ${name}`, () => graphValue(make()))
      : this.#constant(name, () => graphValue({ ...make(), constant: name }));
  }

  /** A constant scalar of the formula itself, such as the 1 of 1 - x; never a setting that may change. */
  scalar(value: number, type: ElementType = 'float32'): GraphValue {
    const name = `${type} ${value}`;
    return this.#constant(name, () =>
      graphValue({ shape: [], type, data: hostArray(type, 1, value), constant: name }),
    );
  }

  /** A tfjs tensor that holds the value, or a copy if another tensor already holds it. */
  tensor(value: GraphValue, shape: readonly number[] = value.shape): TensorInfo {
    if (value.references > 0) return this.tensor(this.apply(IDENTITY, [value]), shape);
    // Only uint8, int64 and double have no type in tfjs, and no kernel returns them.
    return { dataId: this.#storage.register(value), shape: [...shape], dtype: value.type as DataType };
  }

  /** Gives a tensor a new value, as if it were written in place. */
  replace(tensor: TensorInfo, value: GraphValue): void {
    this.#storage.replace(tensor, value);
  }

  /** A number that may be another in each run, such as a learning rate. */
  number(value: number): GraphValue {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const made = this.fromHost(Float32Array.of(value), { shape: [], type: 'float32' });
    this.#numbers.set(value, made);
    return made;
  }

  /** Another tensor over the data of this one, in another shape. */
  alias(tensor: TensorInfo, shape: readonly number[]): TensorInfo {
    this.#storage.addReference(tensor);
    return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
  }

  #constant(name: string, make: () => GraphValue): GraphValue {
    const known = this.#constants.get(name);
    if (known !== undefined) return known;
    const made = make();
    this.#constants.set(name, made);
    return made;
  }
}

interface NodeToAdd {
  readonly operator: Operator;
  readonly inputs: readonly GraphValue[];
}
