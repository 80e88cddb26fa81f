import type { GraphEdge, GraphView } from './graph-view.ts';

/** A drawing for Graphviz: `dot -Tsvg` makes a picture of it. */
export function graphDot({ pipeline, stages, edges }: GraphView): string {
  return [
    `digraph ${quoted(pipeline)} {`,
    '  rankdir=LR;',
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...stages.map(
      ({ id, uses }) => `  ${quoted(id)}${id === uses ? '' : ` [label=${quoted(`${id} (${uses})`)}]`};`,
    ),
    ...edges.map((edge) => `  ${quoted(edge.from)} -> ${quoted(edge.to)} [label=${quoted(flow(edge))}];`),
    '}',
  ].join('\n');
}

const flow = ({ output, part }: GraphEdge): string => (part === undefined ? output : `${output}.${part}`);
const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
