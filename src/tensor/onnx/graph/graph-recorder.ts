import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';
import {
  type ElementType,
  type GraphNode,
  type GraphValue,
  graphValue,
  type HostArray,
  hostArray,
  ONNX_TYPE,
  type Operator,
  operator,
  sameShape,
  sizeOf,
} from './graph-value.ts';

interface NewNode {
  readonly operator: Operator;
  readonly inputs: readonly GraphValue[];
  readonly shape: readonly number[];
  /** That of the first input where absent. */
  readonly type?: ElementType;
}

interface NewNodes {
  readonly operator: Operator;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly Form[];
}

export interface Form {
  readonly shape: readonly number[];
  readonly type: ElementType;
}

/** Where the recorder finds the values of tensors, and leaves new ones. */
export interface ValueStorage {
  graphValueOf(tensor: TensorInfo): GraphValue;
  register(value: GraphValue): object;
  addReference(tensor: TensorInfo): void;
}

const RESHAPE = operator('Reshape');
const EXPAND = operator('Expand');
const IDENTITY = operator('Identity');

/** What a kernel writes with: it turns tensors into values, records nodes over them and hands out tensors. */
export class GraphRecorder {
  readonly #storage: ValueStorage;
  readonly #constants = new Map<string, GraphValue>();
  #nodes: GraphNode[] = [];

  constructor(storage: ValueStorage) {
    this.#storage = storage;
  }

  get pending(): readonly GraphNode[] {
    return this.#nodes;
  }

  /** Forgets what was recorded, once it has run. */
  clear(): void {
    this.#nodes = [];
  }

  /** Forgets the first `count` nodes, which have run, but for those that a later one still has to compute from. */
  forget(count: number): void {
    this.#nodes = withoutFirst(this.#nodes, count);
  }

  /** The value of a tensor, in the tensor's own shape. */
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

  /** Records a node with one output. */
  add({ operator, inputs, shape, type = inputs[0]?.type ?? 'float32' }: NewNode): GraphValue {
    if (sizeOf(shape) === 0) return this.held(hostArray(type, 0), { shape, type });
    const output = graphValue({ shape, type });
    const node = { operator, inputs, outputs: [output] };
    output.producer = node;
    this.#nodes.push(node);
    return output;
  }

  /** Records an elementwise node over values that broadcast; its elements are of the type of the last input. */
  apply(operator: Operator, inputs: readonly GraphValue[]): GraphValue {
    return this.add({
      operator,
      inputs,
      shape: broadcastShape(inputs),
      type: inputs.at(-1)?.type ?? 'float32',
    });
  }

  /** Records an elementwise node whose elements are true or false. */
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

  /**
   * The constant `value` in a shape of its own. It is fed: what follows from constants alone the engine computes when it
   * compiles, and keeps as long as the session.
   */
  filled(value: number, form: Form): GraphValue {
    const { type } = form;
    const fed = this.#constant(`fed ${type} ${value}`, () =>
      graphValue({ shape: [], type, data: hostArray(type, 1, value) }),
    );
    const inputs = [fed, this.integers(form.shape)];
    return this.add({ operator: EXPAND, inputs, shape: form.shape });
  }

  /** Records a node with several outputs. */
  addMany({ operator, inputs, outputs }: NewNodes): GraphValue[] {
    const values = outputs.map(graphValue);
    const node = { operator, inputs, outputs: values };
    for (const value of values) value.producer = node;
    this.#nodes.push(node);
    return values;
  }

  /** A value that is on the host already. */
  held(data: HostArray, form: Form): GraphValue {
    return graphValue({ ...form, data });
  }

  /** Axes, sizes and the like: a constant int64 vector, part of the graph's structure. */
  integers(values: readonly number[]): GraphValue {
    const name = `[${values.join()}]`;
    return this.#constant(name, () =>
      graphValue({
        shape: [values.length],
        type: 'int64',
        data: BigInt64Array.from(values, BigInt),
        constant: name,
      }),
    );
  }

  /** A constant scalar that belongs to the formula itself, such as the 1 of 1 - x; never a setting that may change. */
  scalar(value: number, type: ElementType = 'float32'): GraphValue {
    const name = `${type} ${value}`;
    return this.#constant(name, () =>
      graphValue({ shape: [], type, data: hostArray(type, 1, value), constant: name }),
    );
  }

  /** A tensor of tfjs that holds the value, or a copy where another tensor holds it already. */
  tensor(value: GraphValue, shape: readonly number[] = value.shape): TensorInfo {
    if (value.references > 0) return this.tensor(this.apply(IDENTITY, [value]), shape);
    // Only int64 and double have no type in tfjs, and no kernel gives them out.
    return { dataId: this.#storage.register(value), shape: [...shape], dtype: value.type as DataType };
  }

  /** One more tensor over the data of another, in another shape. */
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

/** The nodes without the first `count`, but with those among them whose results the others lack. */
function withoutFirst(nodes: readonly GraphNode[], count: number): GraphNode[] {
  const lacking = new Set<GraphValue>();
  const isKept = (node: GraphNode, place: number) =>
    place >= count || node.outputs.some((value) => lacking.has(value));
  const kept: GraphNode[] = [];
  for (let place = nodes.length - 1; place >= 0; place--) {
    const node = nodes[place];
    if (node === undefined || !isKept(node, place)) continue;
    kept.push(node);
    for (const value of node.inputs) if (value.data === null) lacking.add(value);
  }
  return kept.reverse();
}

/** The shape that values take together when dimensions of 1 stretch. */
export function broadcastShape(values: readonly GraphValue[]): readonly number[] {
  let shape: readonly number[] = values[0]?.shape ?? [];
  for (let i = 1; i < values.length; i++) shape = together(shape, values[i]?.shape ?? []);
  return shape;
}

function together(a: readonly number[], b: readonly number[]): readonly number[] {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const offset = long.length - short.length;
  return long.map((size, i) => {
    const other = i < offset ? 1 : (short[i - offset] ?? 1);
    if (size !== other && size !== 1 && other !== 1)
      throw new Error(`Tensors of the shapes [${a}] and [${b}] do not broadcast.`);
    return size === 1 ? other : size;
  });
}
