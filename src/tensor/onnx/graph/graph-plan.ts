import { ONNX_TYPE } from './element-type.ts';
import type { GraphNode, GraphValue } from './graph-value.ts';

/** The part of a pending graph that must run, with its values numbered. */
export interface GraphPlan {
  /** Equal for graphs of equal operators, wiring, shapes, element types and outputs. */
  readonly key: string;
  readonly nodes: readonly GraphNode[];
  /** Values fed from the host, in the order of their numbers. */
  readonly inputs: readonly GraphValue[];
  readonly constants: readonly GraphValue[];
  /** Values that tensors still hold. */
  readonly outputs: readonly GraphValue[];
}

let lastPlan = 0;

/** Picks what the values still held depend on; null where nothing is to be computed. */
export function planGraph(pending: readonly GraphNode[]): GraphPlan | null {
  lastPlan++;
  const nodes = neededNodes(pending);
  if (nodes.length === 0) return null;
  lastPlan++;
  const { codes, inputs, constants } = numberValues(nodes);
  const outputs = nodes.flatMap((node) => node.outputs.filter((value) => value.references > 0));
  codes.push('outputs');
  for (const value of outputs) codes.push(value.number);
  return { key: codes.join(), nodes, inputs, constants, outputs };
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

const isNeeded = (value: GraphValue): boolean => value.references > 0 || value.plan === lastPlan;

interface Numbered {
  readonly codes: (number | string)[];
  readonly inputs: GraphValue[];
  readonly constants: GraphValue[];
}

function numberValues(nodes: readonly GraphNode[]): Numbered {
  const numbered: Numbered = { codes: [], inputs: [], constants: [] };
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

function addSource({ codes, inputs, constants }: Numbered, value: GraphValue): void {
  if (value.constant !== '') {
    constants.push(value);
    codes.push(value.constant);
  } else {
    inputs.push(value);
    codes.push(-1, ONNX_TYPE[value.type], value.shape.length, ...value.shape);
  }
}
