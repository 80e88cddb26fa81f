import { ELEMENT_BYTES, type GraphNode, type GraphValue, ONNX_TYPE, sizeOf } from './graph-value.ts';

/** The part of a pending graph that must run, with its values numbered. */
export interface GraphPlan {
  /** Equal for graphs of equal operators, wiring, element types, outputs and, unless it is open, shapes. */
  readonly key: string;
  /** Whether it computes inputs of any sizes: shapes are not part of its structure. */
  readonly isOpen: boolean;
  readonly nodes: readonly GraphNode[];
  /** Values fed from the host, in the order of their numbers. */
  readonly inputs: readonly GraphValue[];
  readonly constants: readonly GraphValue[];
  /** Constant weights, which the engine prepares once; none for a runner that cannot. */
  readonly weights: readonly GraphValue[];
  /** Values that tensors still hold, and those written into the memory of inputs. */
  readonly outputs: readonly GraphValue[];
}

let lastPlan = 0;

/** Selects the nodes that the values still held depend on; null if there is nothing to compute. */
export function planGraph(pending: readonly GraphNode[], { takesWeights = false } = {}): GraphPlan | null {
  lastPlan++;
  const nodes = neededNodes(pending);
  if (nodes.length === 0) return null;
  lastPlan++;
  const isOpen = nodes.every((node) => node.isOpen);
  const { codes, inputs, constants, weights } = numberValues(nodes, { takesWeights, isOpen });
  const outputs = nodes.flatMap((node) => node.outputs.filter(isOutput));
  codes.push('outputs');
  for (const value of outputs) codes.push(value.number, value.overwrites?.number ?? -1);
  return { key: codes.join(), isOpen, nodes, inputs, constants, weights, outputs };
}

function neededNodes(pending: readonly GraphNode[]): GraphNode[] {
  const needed: GraphNode[] = [];
  for (let i = pending.length - 1; i >= 0; i--) {
    const node = pending[i];
    if (node === undefined || !node.outputs.some(isNeeded)) continue;
    needed.push(node);
    for (const value of node.inputs) value.plan = lastPlan;
  }
  return needed.reverse();
}

const isHeld = ({ references, readers }: GraphValue): boolean => references > 0 || readers > 0;

const isNeeded = (value: GraphValue): boolean =>
  value.data === null && (value.plan === lastPlan || isHeld(value));

const isOutput = (value: GraphValue): boolean =>
  value.data === null && (value.overwrites !== null || isHeld(value));

interface Numbered {
  readonly codes: (number | string | undefined)[];
  readonly inputs: GraphValue[];
  readonly constants: GraphValue[];
  readonly weights: GraphValue[];
  readonly takesWeights: boolean;
  readonly isOpen: boolean;
}

function numberValues(
  nodes: readonly GraphNode[],
  options: Pick<Numbered, 'takesWeights' | 'isOpen'>,
): Numbered {
  const codes = options.isOpen ? ['open'] : [];
  const numbered: Numbered = { codes, inputs: [], constants: [], weights: [], ...options };
  let next = 0;
  const number = (value: GraphValue) => {
    value.plan = lastPlan;
    value.number = next++;
  };
  for (const node of nodes) {
    numbered.codes.push(node.operator.number, node.inputs.length, node.outputs.length);
    for (const value of node.inputs) {
      if (value.plan !== lastPlan) {
        number(value);
        addSource(numbered, value);
      }
      numbered.codes.push(value.number);
    }
    for (const value of node.outputs) number(value);
  }
  return numbered;
}

function addSource(numbered: Numbered, value: GraphValue): void {
  const { codes, inputs, constants, weights, takesWeights, isOpen } = numbered;
  if (value.constant !== '') {
    constants.push(value);
    codes.push(value.constant);
  } else if (takesWeights && value.weight > 0) {
    weights.push(value);
    codes.push(`weight ${value.weight}`);
  } else {
    inputs.push(value);
    codes.push(-1, ONNX_TYPE[value.type], value.shape.length);
    codes.push(...(isOpen ? openShape(value) : value.shape));
  }
}

/** The dimensions that an open plan fixes: how many sizes a vector of sizes has decides the rank of a result. */
export const openShape = ({ shape, type }: GraphValue): readonly (number | undefined)[] =>
  type === 'int64' ? shape : shape.map(() => undefined);

/** Peak bytes of a plan's values, each freed after its last use. */
export function peakBytes({ nodes, outputs }: GraphPlan): number {
  const lastUse = new Map<GraphValue, number>();
  nodes.forEach((node, i) => {
    for (const value of [...node.inputs, ...node.outputs]) if (value.producer !== null) lastUse.set(value, i);
  });
  for (const value of outputs) lastUse.set(value, nodes.length);
  let held = 0;
  let peak = 0;
  nodes.forEach((node, i) => {
    for (const value of node.outputs) held += bytesOf(value);
    peak = Math.max(peak, held);
    for (const value of new Set([...node.inputs, ...node.outputs])) {
      if (lastUse.get(value) === i) held -= bytesOf(value);
    }
  });
  return peak;
}

function bytesOf({ shape, type }: GraphValue): number {
  return sizeOf(shape) * ELEMENT_BYTES[type];
}

/** The nodes after the first `count`, and those of the first `count` whose results they need and no run has stored. */
export function withoutFirst(nodes: readonly GraphNode[], count: number): GraphNode[] {
  const missing = new Set<GraphValue>();
  const isKept = (node: GraphNode, index: number) =>
    index >= count || node.outputs.some((value) => missing.has(value));
  const kept: GraphNode[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    if (node === undefined || !isKept(node, i)) continue;
    kept.push(node);
    for (const value of node.inputs) if (value.data === null) missing.add(value);
  }
  return kept.reverse();
}
