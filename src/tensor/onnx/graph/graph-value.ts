import type { HalfPrecision } from '../../ops/product-precision.ts';

/**
 * A tensor of the graph: computed (`data`), or still to be computed by `producer`.
 * Plain fields and no methods: recording makes thousands of these a second.
 */
export interface GraphValue {
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Name of a constant of the graph; empty for everything else. */
  readonly constant: string;
  data: HostArray | DeviceArray | null;
  producer: GraphNode | null;
  /** Number of tfjs tensors that hold this value; a run keeps only values with one. */
  references: number;
  /** Number of reads that wait for it and keep it, even if its tensor is disposed of in the meantime. */
  readers: number;
  /** Number of a constant weight, which may be compiled into a session; 0 for everything else. */
  weight: number;
  /** The input of the same node whose memory this value is written into. */
  overwrites: GraphValue | null;
  /** The same elements in other shapes, kept so that each reshape is recorded once. */
  views: GraphValue[] | null;
  /** Why it could not be computed. */
  failure: Error | null;
  /** The plan that last visited this value, and the value's number there. */
  plan: number;
  number: number;
}

/** One operator applied to values; the order in which nodes are made is an order in which they can run. */
export interface GraphNode {
  readonly operator: Operator;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  /** Whether the sizes that it depends on are inputs. */
  readonly isOpen: boolean;
}

export function graphValue({
  shape,
  type,
  data,
  constant = '',
}: {
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly data?: HostArray | DeviceArray;
  readonly constant?: string;
}): GraphValue {
  return {
    shape,
    type,
    constant,
    data: data ?? null,
    producer: null,
    references: 0,
    readers: 0,
    weight: 0,
    overwrites: null,
    views: null,
    failure: null,
    plan: 0,
    number: 0,
  };
}

/** What is known of a tensor before it is computed. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly type: ElementType;
}

export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Attributes of an ONNX operator: strings, lists of integers, and numbers, integers unless ONNX defines them as floats. */
type OperatorAttributes = Readonly<Record<string, number | string | readonly number[]>>;

/** An ONNX operator with its attributes. Equal ones are one object, so its number identifies it in a plan's key. */
export interface Operator {
  readonly number: number;
  readonly type: string;
  readonly domain: string;
  readonly attributes: OperatorAttributes;
}

const MICROSOFT = new Set([
  ...['FusedMatMul', 'FastGelu', 'GroupQueryAttention', 'MatMulNBits', 'QuickGelu', 'RotaryEmbedding'],
]);
const known = new Map<string, Operator>();

/** The operator `type` of ONNX's default domain, or of com.microsoft for an extension of ONNX Runtime. */
export function operator(type: string, attributes: OperatorAttributes = {}): Operator {
  let signature = type;
  for (const name in attributes) signature += `|${name}=${attributes[name]}`;
  const found = known.get(signature);
  if (found !== undefined) return found;
  const domain = MICROSOFT.has(type) ? 'com.microsoft' : '';
  const made = { number: known.size, type, domain, attributes };
  known.set(signature, made);
  return made;
}

/**
 * Element types of values inside a graph. uint8 and uint4 (two in a byte) are for weights, int64 for indices, and half precision for the factors and
 * results of products; none of them leaves the graph.
 */
export type ElementType = 'float32' | 'int32' | 'bool' | 'uint8' | 'uint4' | 'int64' | 'double' | HalfType;

/** The 16-bit floats, which are computed in a graph and are never on the host. */
export type HalfType = 'float16' | 'bfloat16';

export const HALF_TYPES: Readonly<Record<HalfPrecision, HalfType>> = { fp16: 'float16', bf16: 'bfloat16' };

/** The arrays that hold a tensor's elements on the host. */
export type HostArray = Float32Array | Int32Array | Uint8Array | BigInt64Array | Float64Array;

/** A tensor's elements in the memory of a device. Views of other shapes share it. */
export interface DeviceArray {
  readonly isOnDevice: true;
  /** What the engine calls the address: a handle that only the engine can read. */
  readonly address: bigint;
  readonly byteLength: number;
  release(): void;
}

/** The elements of what must be on the host. */
export function hostArrayOf(data: HostArray | DeviceArray | null | undefined): HostArray {
  if (data === null || data === undefined || isOnDevice(data))
    throw new Error('A tensor is not on the host.');
  return data;
}

export const isOnDevice = (data: HostArray | DeviceArray | null): data is DeviceArray =>
  data !== null && 'isOnDevice' in data;

/** Numbers of TensorProto.DataType in onnx.proto. */
export const ONNX_TYPE: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  double: 11,
  uint4: 21,
  bfloat16: 16,
};

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  int32: 4,
  int64: 8,
  bool: 1,
  uint8: 1,
  uint4: 0.5,
  double: 8,
  float16: 2,
  bfloat16: 2,
};

/** The array for `count` elements, filled with `value`. */
export function hostArray(type: ElementType, count: number, value = 0): HostArray {
  switch (type) {
    case 'float32':
      return new Float32Array(count).fill(value);
    case 'int32':
      return new Int32Array(count).fill(value);
    case 'bool':
    case 'uint8':
      return new Uint8Array(count).fill(value);
    case 'uint4':
      return new Uint8Array(Math.ceil(count / 2)).fill(17 * value);
    case 'int64':
      return new BigInt64Array(count).fill(BigInt(value));
    case 'double':
      return new Float64Array(count).fill(value);
    case 'float16':
    case 'bfloat16':
      return neverOnHost(type);
    default:
      return type satisfies never;
  }
}

/** Throws: no array of the host has elements of this type. */
export function neverOnHost(type: HalfType): never {
  throw new Error(`Elements of the type ${type} are inside a graph only.`);
}
