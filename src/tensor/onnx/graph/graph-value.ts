import type { ElementType, HostArray } from './element-type.ts';
import type { Operator } from './operator.ts';

/**
 * A tensor of the graph: held on the host (`data`), or to be computed by `producer`.
 * Plain fields and no methods: tracing makes thousands of these a second.
 */
export interface GraphValue {
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Name of a constant of the graph; empty for everything else. */
  readonly constant: string;
  data: HostArray | null;
  producer: GraphNode | null;
  /** Tensors of tfjs that hold this value; one without any is not kept after a run. */
  references: number;
  /** Reads that wait for it; it is kept for them though its tensor may be disposed of meanwhile. */
  readers: number;
  /** Number of a weight that stays as it is, which may be compiled into a graph; 0 for everything else. */
  weight: number;
  /** The value in whose memory this one is left, which is an input of the same node. */
  overwrites: GraphValue | null;
  /** The same elements in other shapes, so that each reshape is recorded once. */
  views: GraphValue[] | null;
  /** Why it could not be computed. */
  failure: Error | null;
  /** Plan that last visited this value, and its number there. */
  plan: number;
  number: number;
}

/** One operator applied to values; the order in which nodes are made is an order in which they can run. */
export interface GraphNode {
  readonly operator: Operator;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
}

interface NewValue {
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly data?: HostArray;
  readonly constant?: string;
}

export function graphValue({ shape, type, data, constant = '' }: NewValue): GraphValue {
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
