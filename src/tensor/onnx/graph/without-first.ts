import type { GraphNode, GraphValue } from './graph-value.ts';

/** The nodes without the first `count`, but with those among them whose results the others lack. */
export function withoutFirst(nodes: readonly GraphNode[], count: number): GraphNode[] {
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
